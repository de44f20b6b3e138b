/** The durable consumer of facts, as the switch-manager makes it. */
export const FACT_CONSUMER = { ackWaitMs: 2_000, maxAckPending: 1 } as const;
