import { createInterface } from 'node:readline';
import { end, startIn, until } from './exec.js';
import { type LabHost } from './host.js';

const KEY = 'PortData';
type Row = readonly [uuid: unknown, action: string, externalIds: readonly ['map', [string, string][]]];

/** Follows in a host's database, by a client of its own, what stands as `PortData` in the rows of interfaces. */
export class PortDataWatch {
  readonly #child;
  /** By iface-id: all that stood in its rows, in order. */
  readonly #seen = new Map<string, (string | null)[]>();
  #isReady = false;

  private constructor(private readonly host: LabHost) {
    const columns = ['Interface', 'external_ids'];
    const monitor = ['ovsdb-client', 'monitor', '--format=json', host.database, ...columns];
    this.#child = startIn(host.netns, monitor, { stdio: 'pipe' });
    if (this.#child.stdout === null) throw new Error('no pipe to the database’s client');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#note(line));
  }

  static async start(host: LabHost): Promise<PortDataWatch> {
    const watch = new PortDataWatch(host);
    await until(`the database of ${host.name}`, async () => watch.#isReady || undefined);
    return watch;
  }

  /** What stood there one after the other; null: nothing. */
  of(ifaceId: string): readonly (string | null)[] {
    return this.#seen.get(ifaceId) ?? [];
  }

  /** Resolves with what stands there once it is something; null is asked for by `gone`. */
  stands(ifaceId: string): Promise<string> {
    const look = async (): Promise<string | undefined> => this.of(ifaceId).at(-1) ?? undefined;
    return until(`${KEY} of ${ifaceId} on ${this.host.name}`, look);
  }

  async gone(ifaceId: string): Promise<void> {
    const look = async (): Promise<true | undefined> => this.of(ifaceId).at(-1) === null || undefined;
    await until(`no ${KEY} of ${ifaceId} on ${this.host.name}`, look);
  }

  /** Somebody writes it by hand, or takes it away, in whichever row bears this id. */
  async write(ifaceId: string, data: string | null): Promise<void> {
    const find = ['--bare', '--columns=name', 'find', 'Interface', `external_ids:iface-id=${ifaceId}`];
    const device = (await this.host.vsctl(...find)).trim();
    await (data === null
      ? this.host.vsctl('remove', 'Interface', device, 'external_ids', KEY)
      : this.host.vsctl('set', 'Interface', device, `external_ids:${KEY}=${JSON.stringify(data)}`));
  }

  async stop(): Promise<void> {
    await end(this.#child, 'SIGKILL');
  }

  #note(line: string): void {
    this.#isReady = true;
    const { data } = JSON.parse(line) as { readonly data: readonly Row[] };
    for (const [, action, externalIds] of data) {
      if (action === 'old' || action === 'delete') continue;
      const ids = new Map(externalIds[1]);
      const ifaceId = ids.get('iface-id');
      if (ifaceId === undefined) continue;
      const seen = this.#seen.get(ifaceId) ?? [];
      this.#seen.set(ifaceId, seen);
      const now = ids.get(KEY) ?? null;
      if (seen.at(-1) !== now) seen.push(now);
    }
  }
}
