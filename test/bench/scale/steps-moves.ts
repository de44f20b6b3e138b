import { type ListOf, type MigrationView, type PortDescription, type WriteResult } from '#contracts/http';
import { until } from '../../../deploy/quickstart/api.js';
import { type Figure } from '../support/figure.js';
import { pump } from '../support/pump.js';
import { spread } from '../support/stats.js';
import { hostName, ownerOf, RACK } from './plan.js';
import { cpuBetween, type ScaleWorld } from './world.js';

const AT_ONCE = 100;
const ROUND = 300;
const LOOK_MS = 250;
const LIMIT_MS = 120_000;
/** Hosts tell their counters when asked; until the API has heard all of them. */
const COUNT_MS = 20_000;
const A_DAY = 10_000 / 86_400;

export interface Move {
  readonly owner: string;
  readonly destination: string;
}

/** A hundred moves begun in one moment, then many one after the other with as many under way; all counted after. */
export async function moves(world: ScaleWorld): Promise<Figure[]> {
  const plans = planned(world, AT_ONCE + ROUND);
  const once = plans.slice(0, AT_ONCE);
  const round = plans.slice(AT_ONCE);
  const first = await run(world, once, once.length);
  const second = await run(world, round, AT_ONCE);
  const wrong = await miscounted(
    world,
    [...once, ...round].map((m) => m.owner),
  );
  const ledgers = { compared: once.length + round.length, wrong: wrong.length, first: wrong[0] ?? null };
  const good = first.failed.length + second.failed.length + wrong.length === 0;
  const target = {
    text: `all completed and counted, ≥ ${A_DAY.toFixed(3)}/s`,
    met: good && second.rate >= A_DAY,
  };
  return [
    figure(world, `${once.length} migrations begun at once, each to its end`, first, { ledgers }),
    {
      ...figure(world, `${round.length} migrations, ${AT_ONCE} at a time, each to its end`, second, {
        ledgers,
      }),
      target,
    },
  ];
}

/** A guest each, spread over all hosts, to the next host of its rack. */
function planned({ up }: ScaleWorld, count: number): Move[] {
  const step = Math.max(1, Math.floor(up / count));
  return Array.from({ length: count }, (_, k) => {
    const number = (k * step) % up;
    const rack = Math.floor(number / RACK) * RACK;
    const size = Math.min(RACK, up - rack);
    const next = rack + ((number - rack + 1) % size);
    // The first guests of a host are in the groups that the other figures are about.
    return { owner: ownerOf(number, 2 + Math.floor((k * step) / up)), destination: hostName(next) };
  });
}

interface Ran {
  readonly spread: Figure['spread'];
  readonly seconds: number;
  readonly rate: number;
  readonly most: number;
  readonly failed: readonly MigrationView[];
  readonly cpuMs: Readonly<Record<string, number>>;
}

async function run(world: ScaleWorld, plans: readonly Move[], window: number): Promise<Ran> {
  const { api } = world.it;
  const before = await world.cpu();
  const watch = new Watch(world);
  const ids: string[] = [];
  const seconds = await pump(plans.length, window, async (i) => {
    const begun = await api.send<WriteResult>('POST', '/v1/migrations', plans[i]);
    const id = begun.changed.find((c) => c.kind === 'Migration')?.name;
    if (id === undefined) throw new Error(`no migration: ${JSON.stringify(begun)}`);
    ids.push(id);
    await watch.ended(id, begun.revision);
  });
  watch.stop();
  const views: MigrationView[] = [];
  for (const id of ids) views.push(await api.migration(id));
  return {
    spread: spread(views.map((v) => v.elapsedMs)),
    seconds,
    rate: plans.length / seconds,
    most: watch.most,
    failed: views.filter((v) => v.phase !== 'completed'),
    cpuMs: cpuBetween(before, await world.cpu(), plans.length),
  };
}

/** Looks at what is under way, a few times a second, for all who wait. */
export class Watch {
  readonly #waiting = new Map<string, { readonly since: number; readonly done: () => void }>();
  #stopped = false;
  #fail: (why: Error) => void = () => undefined;
  readonly #failed = new Promise<never>((_, reject) => (this.#fail = reject));
  /** Under way at the same time. */
  most = 0;

  constructor(private readonly world: ScaleWorld) {
    this.#failed.catch(() => undefined);
    void this.#look().catch((cause: unknown) => this.#fail(cause as Error));
  }

  /** `since`: the revision that began it; an older answer does not know it yet. */
  ended(id: string, since: number): Promise<void> {
    const done = new Promise<void>((resolve) => this.#waiting.set(id, { since, done: resolve }));
    return Promise.race([done, this.#failed]);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #look(): Promise<void> {
    let end = performance.now() + LIMIT_MS;
    while (!this.#stopped) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const active = await this.#active();
      if (active === null) continue;
      this.most = Math.max(this.most, active.total);
      const here = new Set(active.items.map((m) => m.id));
      for (const [id, { since, done }] of this.#waiting) {
        if (here.has(id) || active.revision < since) continue;
        this.#waiting.delete(id);
        done();
        end = performance.now() + LIMIT_MS;
      }
      if (this.#waiting.size === 0) end = performance.now() + LIMIT_MS;
      if (performance.now() > end) {
        const first =
          active.items[0] && (await this.world.it.api.get(`/v1/migrations/${active.items[0].id}`));
        const what = `under way after ${LIMIT_MS / 1000} s: ${brief(active.items)}`;
        throw new Error(`${what}; the first: ${JSON.stringify(first)}`);
      }
    }
  }

  /** null: the API is away, or can't tell; it is asked again. */
  #active(): Promise<ListOf<MigrationView> | null> {
    return this.world.it.api.get<ListOf<MigrationView>>('/v1/migrations?active=true').catch(() => null);
  }
}

/** Ports whose ledger does not say what their guest sent, with both numbers. */
export async function miscounted(world: ScaleWorld, owners: readonly string[]): Promise<string[]> {
  const { api } = world.it;
  let wrong: string[] = [];
  try {
    await until(
      'every ledger to agree',
      async () => {
        const sent = await world.swarm.sentBy(owners);
        wrong = [];
        for (const owner of owners) {
          const { items } = await api.ports(`?owner=${owner}`);
          const { ledger } = await api.get<PortDescription>(`/v1/ports/${items[0]?.metadata.name}`);
          const { packets } = inward(ledger.total);
          const good = ledger.exact && packets === sent.get(owner);
          if (!good)
            wrong.push(`${owner}: sent ${sent.get(owner)}, counted ${packets}, exact ${ledger.exact}`);
        }
        return wrong.length === 0;
      },
      COUNT_MS,
    );
  } catch {
    // What does not agree by then is the result.
  }
  return wrong;
}

const inward = ({ in: c }: PortDescription['ledger']['total']): { readonly packets: number } => ({
  packets: c.unicast.packets + c.multicast.packets + c.broadcast.packets,
});

const brief = (views: readonly MigrationView[]): string =>
  views
    .slice(0, 5)
    .map((m) => `${m.id} ${m.owner} ${m.phase}`)
    .join(', ');

function figure(world: ScaleWorld, what: string, ran: Ran, more: object): Figure {
  const { spread: it, seconds, rate, most, failed, cpuMs } = ran;
  return {
    bench: 'scale',
    what,
    unit: 'ms',
    spread: it,
    detail: {
      hosts: world.up,
      seconds,
      perSecond: Math.round(rate * 100) / 100,
      timesTenThousandADay: Math.round(rate / A_DAY),
      atTheSameTime: most,
      failed: failed.length,
      firstFailed: failed[0] ?? null,
      ...more,
      cpuMsPerMove: cpuMs,
    },
  };
}
