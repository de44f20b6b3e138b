/** A host to which things are done, with a switch and a group of its own, both of one name. */
export interface FloodPlan {
  readonly host: string;
  readonly number: number;
  readonly switch: string;
}

/** At full size all of them: one host carries fewer than 500 ports of a segment, which make some 6,000 flows. */
export const FLOOD_PLANS: readonly [FloodPlan, FloodPlan] = [
  { host: 'delta', number: 9, switch: 'flood' },
  { host: 'echo', number: 10, switch: 'flood-2' },
];

export type FloodOrder =
  | { readonly do: 'flap'; readonly ms: number }
  | { readonly do: 'drift'; readonly most: number }
  | { readonly do: 'count' };

/** Changes made, or flows there. */
export interface FloodAnswer {
  readonly done: number;
}
