/** What the switch takes; tests set them low. */
export interface Limits {
  readonly flowsPerTable: number;
  readonly groups: number;
  readonly meters: number;
}

export const LIMITS: Limits = { flowsPerTable: 200_000, groups: 65_536, meters: 262_144 };

export interface SwitchOptions {
  readonly limits?: Partial<Limits>;
  /** Frames that look like earlier ones are treated by the flows of then, until `effective` or a purge. */
  readonly staleUntilEffective?: boolean;
  /** `learn` runs for the first frame of a kind only, until `effective` or a purge. */
  readonly cacheDecisions?: boolean;
  /** How long a flow outlives its time-out, ms: a switch looks now and then. Absent: not at all. */
  readonly lateMs?: () => number;
}
