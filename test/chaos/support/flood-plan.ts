export const FLOOD_HOST = 'delta';
export const FLOOD_NUMBER = 9;
/** Its switch, which no other host has, and the one group on it. */
export const FLOOD_SWITCH = 'flood';

export type FloodOrder =
  | { readonly do: 'flap'; readonly ms: number }
  | { readonly do: 'drift'; readonly most: number }
  | { readonly do: 'count' };

/** Changes made, or flows there. */
export interface FloodAnswer {
  readonly done: number;
}
