import { type World } from '../../process/cluster.fixture.js';

/** Something that happens to a cluster, and what must be so afterwards, judged from outside. */
export interface Scenario<W extends World = World> {
  readonly name: string;
  /** Played by `npm test`, too. */
  readonly short: boolean;
  /** Why it can't be played here; null: it can. */
  readonly obstacle?: () => string | null;
  /** Leaves the cluster whole; throws when something is not as it must be. */
  readonly play: (world: W) => Promise<void>;
}

const clients = new Set<{ abandon(): void }>();

/** Clients that go on by themselves: when a scenario fails they must not outlive its cluster. */
export const register = (client: { abandon(): void }): void => void clients.add(client);

export function abandonClients(): void {
  for (const client of clients) client.abandon();
  clients.clear();
}

/** `npm run chaos` sets it: more rounds, longer faults. `npm test` plays everything short. */
export const FULL = process.env['PORTOLAN_CHAOS'] === 'full';

export const sized = <T>(short: T, full: T): T => (FULL ? full : short);
