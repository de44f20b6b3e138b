/** The durable consumer of facts, as the switch-manager makes it. */
export const FACT_CONSUMER = { ackWaitMs: 10_000, maxAckPending: 64 } as const;
