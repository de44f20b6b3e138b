/** The durable consumer of facts, as the switch-manager makes it. */
export const FACT_CONSUMER = { ackWaitMs: 2_000, maxAckPending: 1 } as const;

/** As it once was: batches side by side. */
export const OVERTAKING = { ackWaitMs: 10_000, maxAckPending: 64 } as const;

/** The port groups that guests ask for. */
export const GROUPS = ['web', 'db', 'eph'] as const;
