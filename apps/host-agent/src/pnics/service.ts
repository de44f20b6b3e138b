import { equalJson } from '#kernel';
import { type Desired, type PnicFacts } from '#compiler';
import { type Observation } from '#openflow';
import { type AgentService, type MakeService, type ServiceFacts, type ServiceHost } from '../service.js';
import { type Devices } from './devices.js';
import { deviceIn, devicesIn, mergingIn } from './said.js';

/** Between two looks: devices that change all the time are not looked at all the time. */
const REST_MS = 200;
/** Until it is tried again to look, and to hear of changes. */
const RETRY_MS = 10_000;
/** When `ip monitor` has begun to listen it tells nobody: by then it has. */
const HEARS_AFTER_MS = 1_000;

/**
 * What the devices that are to be uplinks are besides: members of a bridge, addressed, merging frames. Looked at once,
 * and again when the kernel tells that something about one of them changed. Where that can't be done it is said, and
 * what is not known is not checked.
 */
class PnicService implements AgentService {
  #devices: readonly string[] = [];
  #found: Readonly<Record<string, PnicFacts>> = {};
  /** They can't be looked at. */
  #isBlind = false;
  #isStale = false;
  #looking: Promise<void> | null = null;
  #unwatch: (() => void) | null = null;
  #complaint = '';
  #isClosed = false;
  readonly #timers = new Map<'rest' | 'retry' | 'heard', () => void>();

  constructor(
    private readonly host: ServiceHost,
    private readonly source: Devices,
    private readonly datapath: 'system' | 'netdev',
  ) {}

  facts(_have: Observation, { host }: Desired): ServiceFacts | Promise<ServiceFacts> {
    const devices = [...new Set(host.switches.flatMap((s) => Object.values(s.uplinks)))].sort();
    const isKnown = devices.every((device) => this.#devices.includes(device));
    this.#devices = devices;
    return isKnown ? this.#facts : this.#anew();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#unwatch?.();
    await this.#looking;
  }

  get #facts(): ServiceFacts {
    return this.#isBlind ? {} : { pnics: this.#found };
  }

  /** What is not known to do nothing else is not plugged before it was looked at. */
  async #anew(): Promise<ServiceFacts> {
    if (this.#unwatch === null) this.#watch();
    await this.#looking;
    this.#look(true);
    await this.#looking;
    return this.#facts;
  }

  #begin(): void {
    if (this.#unwatch === null) this.#watch();
    this.#look();
  }

  #watch(): void {
    this.#unwatch = this.source.watch(
      (line) => {
        const device = deviceIn(line);
        // What is not understood may be about any of them, as that something was missed.
        if (device === undefined || this.#devices.includes(device)) this.#look();
      },
      (why) => {
        this.#unwatch = null;
        this.#complain(why);
      },
    );
    this.#after('heard', HEARS_AFTER_MS, () => this.#look());
  }

  #look(atOnce = false): void {
    this.#isStale = true;
    const rests = this.#timers.has('rest') && !atOnce;
    if (this.#looking !== null || rests || this.#isClosed) return;
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = null;
      this.#after('rest', REST_MS, () => {
        if (this.#isStale) this.#look();
      });
    });
  }

  async #lookOnce(): Promise<void> {
    this.#isStale = false;
    const devices = this.#devices;
    try {
      const said = devicesIn(await this.source.addresses());
      if (!said.ok) throw new Error(said.error.message);
      const found = devices.map(async (device): Promise<[string, PnicFacts]> => {
        const it = said.value.get(device);
        return [device, it === undefined ? { addresses: [] } : { ...it, ...(await this.#merging(device)) }];
      });
      this.#tell(Object.fromEntries(await Promise.all(found)), false);
    } catch (cause) {
      this.#tell({}, true);
      this.#complain(String(cause));
    }
  }

  /** In the kernel's datapath nothing is merged that it could not take apart: it turns LRO off itself. */
  async #merging(device: string): Promise<Pick<PnicFacts, 'lro' | 'gro'>> {
    if (this.datapath === 'system') return {};
    try {
      return mergingIn(await this.source.features(device));
    } catch (cause) {
      this.#complain(String(cause));
      return {};
    }
  }

  #tell(found: Readonly<Record<string, PnicFacts>>, isBlind: boolean): void {
    if (isBlind === this.#isBlind && equalJson(found, this.#found)) return;
    this.#found = found;
    this.#isBlind = isBlind;
    if (!this.#isClosed) this.host.kick();
  }

  #complain(reason: string): void {
    this.#after('retry', RETRY_MS, () => this.#begin());
    if (this.#isClosed || reason === this.#complaint) return;
    this.#complaint = reason;
    this.host.log.warn(
      { reason },
      'what else devices of uplinks serve can not be looked at, or not all of it',
    );
  }

  #after(what: 'rest' | 'retry' | 'heard', ms: number, fn: () => void): void {
    this.#timers.get(what)?.();
    if (this.#isClosed) return;
    const cancel = this.host.clock.after(ms, () => {
      this.#timers.delete(what);
      fn();
    });
    this.#timers.set(what, cancel);
  }
}

export const pnics =
  (source: Devices, datapath: 'system' | 'netdev'): MakeService =>
  (host) =>
    new PnicService(host, source, datapath);
