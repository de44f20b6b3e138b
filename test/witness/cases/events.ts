import { type World } from '../model/world.js';

/** What happens before a round. */
export type Event = { readonly before: number } & (
  | { readonly becomes: Becomes }
  /** Of a host: the uplink devices without a link from now on. */
  | { readonly host: string; readonly down: readonly string[] }
  /** Milliseconds of the agents' time. */
  | { readonly passes: number }
);

/** Other policies and sets, everything that was begun standing. */
export type Becomes = Pick<World, 'groups' | 'sets'>;

/** What a world is after an event. */
export function worldAfter(world: World, event: Event): World {
  if ('becomes' in event) return { ...world, ...event.becomes };
  if ('passes' in event) return world;
  const { host, down } = event;
  return { ...world, hosts: world.hosts.map((h) => (h.name === host ? { ...h, down } : h)) };
}
