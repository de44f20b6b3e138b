import { type MigrationView } from '#contracts/http';
import { until } from '../../../deploy/quickstart/api.js';
import { pump } from '../support/pump.js';
import { untilBegun } from '../support/until.js';
import { Wanderers } from './guests.js';
import { Watch, type Move } from './steps-moves.js';
import { type ScaleWorld } from './world.js';

/** Moves of guests that have stood for longest, and what became of them. */
export class Moves {
  readonly #guests: Wanderers;
  readonly #watch: Watch;
  readonly #owners = new Set<string>();
  #asked = 0;

  constructor(private readonly world: ScaleWorld) {
    this.#guests = new Wanderers(world);
    this.#watch = new Watch(world);
  }

  /** Guests that moved. */
  get owners(): readonly string[] {
    return [...this.#owners];
  }

  stop(): void {
    this.#watch.stop();
  }

  async run(count: number, atOnce: number): Promise<MigrationView[]> {
    const views: MigrationView[] = [];
    await pump(count, atOnce, async () => views.push(await this.one()));
    return views;
  }

  /** One to its end, whatever is killed meanwhile. */
  async one(): Promise<MigrationView> {
    const move: Move = this.#guests.next();
    this.#owners.add(move.owner);
    const { api, cluster } = this.world.it;
    const { id, revision } = await untilBegun(cluster.api, `move-${(this.#asked += 1)}`, move);
    await this.#watch.ended(id, revision);
    const view = await until(`what became of ${id}`, () => api.migration(id));
    if (view.phase !== 'completed') throw new Error(`${id} of ${move.owner} ${view.phase}: ${view.reason}`);
    this.#guests.arrived(move);
    return view;
  }
}
