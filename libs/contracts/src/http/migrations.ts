import Type, { type Static } from 'typebox';
import { CountersView, Timestamp } from './common.js';
import { MigrationView } from './views.js';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });

/** How one port went from host to host. */
const PortHandover = Type.Object({
  port: Text,
  firstFrameAt: nullable(
    Timestamp,
    'when the destination noticed the guest’s first frame, by its own clock; null: not as it happened',
  ),
  turnedAt: nullable(Timestamp, 'when the source noticed the token of that frame, by its own clock'),
  gapMs: nullable(Type.Number(), 'between the two, as good as the clocks of the two hosts agree'),
  granted: Type.Integer({ minimum: 0, description: 'the revision that made the port ready there' }),
  realised: nullable(
    Count,
    'up to which revision the destination carried everything out when the first frame came',
  ),
  carried: nullable(
    Count,
    'which revision of the port’s policy its source had carried out, by what the guest brought along (libvirt’s ' +
      '`PortData`): that host’s word, which nobody signed; greater than `realised`: the destination was behind',
  ),
  source: nullable(
    Type.Object({
      epoch: Count,
      closedAt: Timestamp,
      counted: CountersView,
      inexact: nullable(Text),
    }),
    'what it counted last; null: not told yet, or folded away since',
  ),
  destination: nullable(
    Type.Object({ epoch: Count, openedAt: Timestamp, from: CountersView }),
    'what its meters had when it began to count',
  ),
});

export const MigrationDescription = Type.Object(
  {
    ...MigrationView.properties,
    pauseMs: nullable(
      Type.Number(),
      'for how long the guest stood still, as its hypervisor counted it; null: it does not tell',
    ),
    handover: Type.Array(PortHandover, { description: 'each port; empty when the guest never went over' }),
  },
  { title: 'MigrationDescription' },
);
export type MigrationDescription = Static<typeof MigrationDescription>;
