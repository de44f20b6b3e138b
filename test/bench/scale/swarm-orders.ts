/** What a swarm process is told to do; each is answered when it is done, `enough` by the end of `grow`. */
export type SwarmOrder =
  | { readonly do: 'grow'; readonly from: number; readonly to: number }
  | { readonly do: 'enough' }
  | { readonly do: 'count'; readonly owners: readonly string[] }
  | { readonly do: 'kill'; readonly number: number };

export type SwarmAnswer =
  | { readonly up: string }
  /** `sent`: of `count`, frames by the guests' owners, of those that live in this process. */
  | { readonly done: SwarmOrder['do']; readonly sent: Readonly<Record<string, number>> };
