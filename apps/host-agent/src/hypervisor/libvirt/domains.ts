import { ok, type Clock, type Result } from '#kernel';
import { isUuid, readDomains, readEvent, readLook, readPause, type ListedDomain, type Look } from './said.js';
import { isShutOff } from './place.js';
import { type Virsh } from './virsh.js';

export interface DomainListener {
  /** libvirt told something of a domain. */
  heard(uuid: string, event: string, detail: string): void;
  /** A guest that left stood still for so long, ms. */
  paused(owners: readonly [uuid: string, name: string], ms: number): void;
  /** All domains were looked at anew. */
  looked(): void;
}

interface Parts {
  readonly virsh: Virsh;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

const LIST = ['list --all --uuid --name; domstats --raw --state'];
/** virsh does not say when it has begun to listen: one more look after it surely has. */
const LISTENS_MS = 1_000;
const SHORTEST_MS = 250;
const LONGEST_MS = 10_000;
/** Of guests that left, as long as nothing else is heard of them. */
const REMEMBERED = 1_000;

/** The domains of a libvirtd, followed by its events and looked at where those say too little. */
export class Domains {
  #byUuid: ReadonlyMap<string, ListedDomain> = new Map();
  /**
   * Guests that libvirt said have moved away, since how many looks had begun: a transient one leaves no other trace, and
   * a look that began before may still tell of it.
   */
  readonly #departed = new Map<string, number>();
  /** Whose event was told last: more lines of it may come, when the guest is listed no more. */
  #told: { readonly uuid: string; readonly domain: string; readonly event: string } | null = null;
  #looks = 0;
  #looking: Promise<Result<void>> | null = null;
  #isStale = false;
  #unwatch: (() => void) | null = null;
  #timer: (() => void) | null = null;
  #pauseMs = SHORTEST_MS;
  #fault: string | null = null;
  #isClosed = false;

  constructor(
    private readonly parts: Parts,
    private readonly listener: DomainListener,
  ) {}

  start(): void {
    const { virsh, clock } = this.parts;
    if (this.#isClosed) return;
    this.#unwatch = virsh.watch(
      (line) => this.#heard(line),
      (why) => this.#lost(why),
    );
    this.#timer = clock.after(LISTENS_MS, () => {
      this.#pauseMs = SHORTEST_MS;
      void this.look();
    });
    void this.look();
  }

  get all(): readonly ListedDomain[] {
    return [...this.#byUuid.values()];
  }

  /** By its uuid, or its name; looked for, if it is not known. Null: libvirt has no such domain. */
  async of(owner: string): Promise<Result<ListedDomain | null>> {
    const known = this.#find(owner);
    if (known !== null) return ok(known);
    const looked = await this.look();
    return looked.ok ? ok(this.#find(owner)) : looked;
  }

  hasDeparted(uuid: string): boolean {
    return this.#departed.has(uuid);
  }

  async lookAt(uuid: string): Promise<Result<Look>> {
    const both = `domjobinfo ${uuid} --rawstats; domstats --raw --state ${uuid}`;
    const said = await this.parts.virsh.run([both]);
    if (said.ok) return ok(readLook(said.value));
    return said.error.message.includes('failed to get domain') ? ok({ state: null, job: null }) : said;
  }

  /** Looks at all domains; a look that begins after this was asked is what is waited for. */
  async look(): Promise<Result<void>> {
    if (this.#looking !== null) {
      // However many ask meanwhile: one more is enough for them all.
      this.#isStale = true;
      await this.#looking;
    }
    this.#isStale = false;
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
      if (this.#isStale && !this.#isClosed) void this.look();
    });
    return this.#looking;
  }

  close(): void {
    this.#isClosed = true;
    this.#unwatch?.();
    this.#timer?.();
  }

  async #lookOnce(): Promise<Result<void>> {
    const number = ++this.#looks;
    const said = await this.parts.virsh.run(LIST);
    const read = said.ok ? readDomains(said.value) : said;
    if (this.#isClosed) return ok(undefined);
    if (!read.ok) {
      this.#complain(read.error.message);
      return read;
    }
    if (this.#fault !== null) this.parts.log.info({}, 'libvirt answers again');
    this.#fault = null;
    this.#byUuid = new Map(read.value.map((domain) => [domain.uuid, domain]));
    for (const { uuid, state } of read.value) {
      const isNewer = number > (this.#departed.get(uuid) ?? number);
      if (isNewer && state !== null && !isShutOff(state)) this.#departed.delete(uuid);
    }
    this.listener.looked();
    return ok(undefined);
  }

  #heard(line: string): void {
    const event = readEvent(line);
    if (this.#isClosed) return;
    if (event === null) return this.#heardMore(line);
    const last = this.#told?.domain === event.domain ? this.#told.uuid : undefined;
    const uuid = this.#find(event.domain)?.uuid ?? last;
    this.#told = uuid === undefined ? null : { ...event, uuid };
    if (uuid !== undefined) {
      if (event.event === 'lifecycle') this.#note(uuid, event.detail);
      this.listener.heard(uuid, event.event, event.detail);
    }
    if (event.event === 'lifecycle' || uuid === undefined) void this.look();
  }

  #heardMore(line: string): void {
    const ms = readPause(line);
    if (ms === null || this.#told?.event !== 'job-completed') return;
    const { uuid, domain } = this.#told;
    if (this.hasDeparted(uuid)) this.listener.paused([uuid, domain], ms);
  }

  #note(uuid: string, detail: string): void {
    this.#departed.delete(uuid);
    if (detail !== 'Stopped Migrated') return;
    this.#departed.set(uuid, this.#looks);
    const [oldest] = this.#departed.keys();
    if (this.#departed.size > REMEMBERED && oldest !== undefined) this.#departed.delete(oldest);
  }

  #lost(why: string): void {
    if (this.#isClosed) return;
    this.#timer?.();
    this.#complain(why);
    const { clock, random } = this.parts;
    this.#timer = clock.after(this.#pauseMs * (0.5 + random() / 2), () => this.start());
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_MS);
  }

  #complain(reason: string): void {
    if (this.#fault === null) this.parts.log.warn({ reason }, 'libvirt can’t be asked');
    this.#fault = reason;
  }

  #find(owner: string): ListedDomain | null {
    if (isUuid(owner)) return this.#byUuid.get(owner) ?? null;
    return this.all.find(({ name }) => name === owner) ?? null;
  }
}
