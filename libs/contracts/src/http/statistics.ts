import Type, { type Static, type TSchema } from 'typebox';
import { CountersView, PacketsBytesView, Timestamp } from './common.js';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });
const Rate = Type.Number({ minimum: 0 });
const BothWays = Type.Object({ in: Count, out: Count }, { title: 'BothWays' });

/** Null until two samples of the same incarnation were seen. */
const Rates = Type.Object(
  {
    in: Type.Object({ packetsPerSecond: Rate, bitsPerSecond: Rate }),
    out: Type.Object({ packetsPerSecond: Rate, bitsPerSecond: Rate }),
  },
  { title: 'Rates' },
);

/** Since when the counters of a port are shown, and who wanted that. Its ledger has all of them. */
export const CountersReset = Type.Object(
  { time: Timestamp, revision: Count, by: Text, reason: Text },
  { title: 'CountersReset' },
);
export type CountersReset = Static<typeof CountersReset>;

export const ResetRequest = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 500 }) },
  { title: 'ResetRequest', additionalProperties: false },
);
export type ResetRequest = Static<typeof ResetRequest>;

/** The totals of a port's ledger as this API saw them, the oldest first; resets change nothing of it. */
export const PortHistory = Type.Object(
  {
    port: Text,
    stepSeconds: Type.Number({ minimum: 0, description: 'at least so much between two points' }),
    points: Type.Array(
      Type.Object({ time: Timestamp, host: Text, in: PacketsBytesView, out: PacketsBytesView }),
    ),
  },
  { title: 'PortHistory' },
);
export type PortHistory = Static<typeof PortHistory>;

/** What is beside the ledger is of the present binding alone: docs/counters.md says what each counts. */
export const PortStats = Type.Object(
  {
    port: Text,
    group: Text,
    switch: Text,
    owner: nullable(Text),
    host: nullable(Text),
    in: PacketsBytesView,
    out: PacketsBytesView,
    counters: CountersView,
    dropped: nullable(BothWays),
    lost: Type.Union([Count, Type.Null()], {
      description: 'sent by the connectee and never read by its switch',
    }),
    exceptions: nullable(BothWays),
    pnic: Type.Union([Type.Object({ from: PacketsBytesView, to: PacketsBytesView }), Type.Null()], {
      description: 'what came by an uplink for the port, and what of it went to one',
    }),
    ruleHits: Type.Record(Text, Count, {
      description: 'frames that each rule took, of all ports of the host that have the same rules',
    }),
    rates: nullable(Rates),
    since: Type.Union([CountersReset, Type.Null()], {
      description: 'in, out and counters are what came since; null: all there ever was',
    }),
    exact: Type.Boolean(),
    countedAt: nullable(Timestamp),
  },
  { title: 'PortStats' },
);
export type PortStats = Static<typeof PortStats>;

export const GroupStats = Type.Object(
  {
    group: Text,
    switch: Text,
    ports: Count,
    connected: Count,
    in: PacketsBytesView,
    out: PacketsBytesView,
    ruleHits: Type.Record(Text, Count, { description: 'frames that each rule took, on all hosts' }),
    rates: nullable(Rates),
  },
  { title: 'GroupStats' },
);
export type GroupStats = Static<typeof GroupStats>;

/** What the device of an uplink counted, `in` from the wire. */
export const UplinkCounts = Type.Object(
  {
    in: PacketsBytesView,
    out: PacketsBytesView,
    dropped: BothWays,
    errors: BothWays,
    refused: nullable(
      Type.Number({
        description:
          "frames from the wire with the MAC of a guest that is active on the host: forged, or the host's own that came round; and frames to addresses of tokens. null: not told",
      }),
    ),
    rates: nullable(Rates),
    countedAt: Timestamp,
  },
  { title: 'UplinkCounts' },
);
export type UplinkCounts = Static<typeof UplinkCounts>;

export const UplinkStats = Type.Object(
  {
    host: Text,
    switch: Text,
    uplink: Text,
    device: Text,
    up: nullable(Type.Boolean()),
    counts: nullable(UplinkCounts),
  },
  { title: 'UplinkStats' },
);
export type UplinkStats = Static<typeof UplinkStats>;
