import Type, { type Static } from 'typebox';
import { Timestamp } from './common.js';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });

export const GUEST_STATES = ['waiting', 'moving', 'moved', 'refused', 'gone', 'stays'] as const;

const view = {
  id: Text,
  host: Text,
  to: Type.Array(Text, { description: 'where guests may go; empty: wherever they are admitted' }),
  parallel: nullable(Type.Integer({ minimum: 1, description: 'null: as the limits of the hosts say' })),
  attempts: Type.Integer({ minimum: 1, description: 'how often one guest is tried' }),
  phase: Type.Enum(['running', 'aborting', 'completed', 'incomplete', 'aborted'], {
    description: 'completed: nobody is left; incomplete: those are left that can’t go',
  }),
  finished: Type.Boolean(),
  requestedBy: Text,
  reason: nullable(Type.String({ description: 'why it was asked for' })),
  why: nullable(Type.String({ description: 'why it ended before all was done' })),
  startedAt: Timestamp,
  endedAt: nullable(Timestamp),
  elapsedMs: Type.Number(),
  counts: Type.Object(
    Object.fromEntries(GUEST_STATES.map((s) => [s, Count])) as Record<GuestStateName, typeof Count>,
    {
      description:
        'guests; gone: left without this evacuation’s doing; stays: it was over before the guest was tried again',
    },
  ),
  remaining: Type.Integer({ minimum: 0, description: 'guests that run on the host now' }),
};
type GuestStateName = (typeof GUEST_STATES)[number];

/** All guests leave a host. */
export const EvacuationView = Type.Object(view, { title: 'Evacuation' });
export type EvacuationView = Static<typeof EvacuationView>;

export const EvacuationDescription = Type.Object(
  {
    ...view,
    guests: Type.Array(
      Type.Object({
        owner: Text,
        state: Type.Enum([...GUEST_STATES]),
        tries: Type.Array(
          Type.Object({ migration: Text, destination: Text, phase: Text, reason: nullable(Text) }),
        ),
        refusals: Type.Array(Type.Object({ destination: nullable(Text), field: Text, reason: Text }), {
          description: 'why it can’t go to a host; null: to any',
        }),
      }),
    ),
  },
  { title: 'EvacuationDescription' },
);
export type EvacuationDescription = Static<typeof EvacuationDescription>;

export const EvacuateRequest = Type.Object(
  {
    to: Type.Optional(Type.Array(Text)),
    parallel: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 10, description: 'default 3' })),
    reason: Type.Optional(Text),
  },
  { title: 'EvacuateRequest', additionalProperties: false },
);
export type EvacuateRequest = Static<typeof EvacuateRequest>;

export const AbortEvacuationRequest = Type.Object(
  {
    reason: Type.Optional(Text),
    abortRunning: Type.Optional(
      Type.Boolean({ description: 'call back those on their way, too; default: they go on' }),
    ),
  },
  { title: 'AbortEvacuationRequest', additionalProperties: false },
);
export type AbortEvacuationRequest = Static<typeof AbortEvacuationRequest>;
