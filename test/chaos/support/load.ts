import { register } from './scenario.js';

/** What was said of a command that is done. */
export interface Acknowledged {
  readonly revision: number;
  /** How often it was asked until there was an answer. */
  readonly asked: number;
}

const PATIENCE_MS = 60_000;
const BREATH_MS = 25;

/**
 * An outside client: some workers, each giving one command after the other over HTTP, under a key of its own. What has
 * no answer, or none that says what became of it, is asked again under the same key until it is answered. Counts by
 * itself, from nothing but the answers.
 */
export class Load {
  readonly acknowledged = new Map<string, Acknowledged>();
  /** Answers that were neither yes nor "later", by key. */
  readonly refused = new Map<string, string>();
  /** How often which status came; 0 for none at all. */
  readonly statuses = new Map<number, number>();
  /** What was last said by who could not do it now; null: nobody said so. */
  lastTrouble: string | null = null;
  /** Commands that are out and without an answer. */
  inFlight = 0;
  #going = true;
  #abandoned = false;
  readonly #workers: Promise<void>[];
  #listeners = new Set<() => void>();

  constructor(
    private readonly server: string,
    private readonly prefix: string,
    workers: number,
    private readonly hosts: readonly string[] = ['alpha', 'bravo', 'charlie'],
  ) {
    register(this);
    this.#workers = Array.from({ length: workers }, (_, worker) => this.#work(worker));
  }

  /** Resolves when so many more have been acknowledged from now on. */
  more(n: number, limitMs = PATIENCE_MS): Promise<void> {
    const goal = this.acknowledged.size + n;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.acknowledged.size < goal) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(
          new Error(
            `${this.acknowledged.size} of ${goal} commands acknowledged within ${limitMs} ms; answers: ${JSON.stringify([...this.statuses])}`,
          ),
        );
      }, limitMs);
      this.#listeners.add(look);
      look();
    });
  }

  /** Gives no further command, and resolves when every one that was given has its answer. */
  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#workers);
  }

  /** What has no answer yet is asked no more. */
  abandon(): void {
    this.#going = false;
    this.#abandoned = true;
  }

  async #work(worker: number): Promise<void> {
    for (let n = 0; this.#going; n += 1) await this.#command(`${this.prefix}-${worker}-${n}`, worker);
  }

  async #command(key: string, worker: number): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (let asked = 1; ; asked += 1) {
      const { status, body } = await this.#ask(key, this.hosts[worker % this.hosts.length] ?? '');
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      if (status === 200 && body.revision !== undefined) {
        this.acknowledged.set(key, { revision: body.revision, asked });
        for (const look of [...this.#listeners]) look();
        return;
      }
      if (status >= 500) this.lastTrouble = `${status}: ${body.detail ?? ''}`;
      const later = status === 0 || status >= 500;
      if (!later || this.#abandoned || performance.now() > end) {
        this.refused.set(key, `${status}: ${body.detail ?? ''}`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
    }
  }

  async #ask(
    key: string,
    host: string,
  ): Promise<{ status: number; body: { revision?: number; detail?: string } }> {
    this.inFlight += 1;
    try {
      const response = await fetch(`${this.server}/v1/apply`, {
        method: 'POST',
        headers: { 'content-type': 'application/yaml', 'idempotency-key': key },
        body: `{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: ${host} }, spec: { labels: { run: ${key} } } }`,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return { status: response.status, body: (await response.json()) as never };
    } catch (cause) {
      // Nobody there, or gone in the middle of the answer: nothing is known.
      return { status: 0, body: { detail: String(cause) } };
    } finally {
      this.inFlight -= 1;
    }
  }
}
