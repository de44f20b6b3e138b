import { expect } from '@jest/globals';
import { type MigrationView, type WriteResult } from '#contracts/http';
import { type CommitEnvelope } from '#event-store';
import { until, type World } from '../../process/cluster.fixture.js';
import { register } from './scenario.js';

const PATIENCE_MS = 60_000;

/** An outside client that has one VM moved to and fro between two hosts, and remembers what it was told. */
export class Mover {
  /** Migrations by id, as they ended. */
  readonly ended = new Map<string, MigrationView>();
  #going = true;
  #abandoned = false;
  readonly #run: Promise<void>;

  constructor(
    private readonly world: World,
    private readonly owner: string,
    private readonly between: readonly [string, string],
    private readonly prefix: string,
  ) {
    register(this);
    this.#run = this.#move();
    // Whoever stops it sees what went wrong; a scenario that failed before does not.
    this.#run.catch(() => undefined);
  }

  /** Starts no further move, and resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.#going = false;
    await this.#run;
  }

  abandon(): void {
    this.#going = false;
    this.#abandoned = true;
  }

  async #move(): Promise<void> {
    for (let n = 0; this.#going; n += 1) {
      const id = await until(
        'a migration to be admitted',
        () => (this.#abandoned ? Promise.resolve('') : this.#ask(`${this.prefix}-${n}`)),
        PATIENCE_MS,
      );
      const view = await until(
        `migration ${id} to end`,
        async () => {
          if (this.#abandoned) return 'abandoned';
          const now = await this.world.api.migration(id);
          return now.finished && now;
        },
        PATIENCE_MS,
      );
      if (view === 'abandoned') return;
      this.ended.set(id, view);
    }
  }

  /** Under a key of its own: asked again, it is the same migration. */
  async #ask(key: string): Promise<string | null> {
    const at = await hostOf(this.world, this.owner);
    if (at === null) return null;
    const destination = at === this.between[0] ? this.between[1] : this.between[0];
    const response = await fetch(`${this.world.cluster.api}/v1/migrations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ owner: this.owner, destination }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const body = (await response.json()) as WriteResult & { detail?: string };
    if (response.status >= 500) return null;
    if (!response.ok) throw new Error(`${response.status} ${body.detail}`);
    return body.changed.find((c) => c.kind === 'Migration')?.name ?? (await this.#newest());
  }

  /** A repeated answer does not say what changed. */
  async #newest(): Promise<string> {
    const { items } = await this.world.api.get<{ items: MigrationView[] }>('/v1/migrations');
    const mine = items.filter((m) => m.owner === this.owner && !this.ended.has(m.id));
    expect(mine).toHaveLength(1);
    return mine[0]!.id;
  }
}

/** Where a VM's port is bound. */
export async function hostOf(world: World, owner: string): Promise<string | null> {
  const { items } = await world.api.ports(`?owner=${owner}`);
  return items[0]?.status.active?.host ?? null;
}

/** Each migration that was acknowledged began once and ended once, and no other was begun for the VM. */
export function auditMoves(log: readonly CommitEnvelope[], mover: Pick<Mover, 'ended'>): void {
  const events = log.flatMap((e) => ('events' in e.data ? e.data.events : []));
  for (const [id, view] of mover.ended) {
    const started = events.filter(
      (e) => e.type === 'MigrationStarted' && (e.data as { migration: { id: string } }).migration.id === id,
    );
    expect([id, started.length]).toEqual([id, 1]);
    expect([id, view.phase]).toEqual([id, expect.stringMatching(/completed|failed|aborted/)]);
  }
}
