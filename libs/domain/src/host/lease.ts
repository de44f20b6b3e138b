/**
 * How a host that is cut off closes the ports of groups that isolate, without anybody's help. Its switch holds two rows
 * that go by themselves: one says that a lease is asked for, the other that it stands. The agent writes the first, asks the
 * leader, and has the switch renew the second only if the first still stands. So, whatever slept on the way:
 *
 *     asked row written  ≤  leader grants (G)  ;  renewed  ≤  written + asked + lag  ;  closed  ≤  renewed + row + lag
 *
 * and all is closed at G + asked + row + 2 lag. `lag`: the switch looks for what has run out twice a second, and then goes
 * through its cached decisions.
 */
export const LEASE = {
  /** Seconds for which a granted lease stands in the switch. */
  rowSeconds: 10,
  /** Seconds for which a question stands: an answer that comes later renews nothing. */
  askedSeconds: 4,
  /** ms between two questions; also for how long one is waited for. */
  everyMs: 2_000,
  /** ms after its last grant, or since this leader began: no port of the host is open any more. */
  boundMs: 18_000,
  /** ms without a question after which a host that used to ask is not heard of. */
  silentMs: 6_000,
} as const;
