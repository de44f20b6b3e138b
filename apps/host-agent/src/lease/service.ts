import { askLease, LEASE_ROW, leaseStands, renewLease, type Compiled } from '#compiler';
import { type LeaseAnswer } from '#contracts';
import { LEASE } from '#domain/on-host';
import { type DriverEvent } from '#openflow';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';

/** Null: nobody answered in time, or there is nothing yet that could be said of this host. */
export type AskForLease = () => Promise<LeaseAnswer | null>;

/** A frame that no table knows: it is there for what is done with it. */
const FRAME = new Uint8Array(60);

/**
 * Keeps ports of groups that isolate open: every 2 s it has the switch put down that a lease is asked for, asks, and has
 * it renew what stands there. It holds no time itself. If it stops at any point, for however long, the switch closes
 * the ports by itself, and what it does late has no effect: see domain/host/lease.ts.
 */
export class LeaseService implements AgentService {
  #bridges: readonly string[] = [];
  #stands: boolean | null = null;
  #running = false;
  #again = false;
  #closed = false;
  #cancel: () => void = () => undefined;

  constructor(
    private readonly host: ServiceHost,
    private readonly ask: AskForLease,
  ) {}

  carriedOut({ bindings }: Compiled): void {
    const now = [...new Set(bindings.flatMap((b) => (b.leased === true ? [b.bridge] : [])))].sort();
    const isNew = now.some((bridge) => !this.#bridges.includes(bridge));
    this.#bridges = now;
    if (isNew) this.#soon();
  }

  /** A switch that restarted has lost its rows. */
  noticed({ kind }: DriverEvent): void {
    if (kind === 'up') this.#soon();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #soon(): void {
    this.#again = this.#running;
    if (this.#running) return;
    this.#cancel();
    void this.#turn();
  }

  async #turn(): Promise<void> {
    if (this.#bridges.length === 0 || this.#closed) return;
    this.#running = true;
    const { clock } = this.host;
    const began = clock.monotonic();
    try {
      await this.#renew(this.#bridges);
    } catch (cause) {
      this.#tell(false, `the switch: ${String(cause)}`);
    }
    this.#running = false;
    if (this.#closed) return;
    if (this.#again) return this.#soon();
    // A question that nobody answered took the time until the next one.
    const left = Math.max(0, began + LEASE.everyMs - clock.monotonic());
    this.#cancel = clock.after(left, () => void this.#turn());
  }

  async #renew(bridges: readonly string[]): Promise<void> {
    const { driver } = this.host;
    for (const bridge of bridges) await driver.packetOut(bridge, askLease(), FRAME);
    // What the switch answers later, it has done all before: the question stands there before it is asked.
    const before = await this.#standing(bridges);
    const answer = await this.ask();
    if (answer?.granted !== true) return this.#tell(before, answer?.reason ?? 'no answer of the centre');
    for (const bridge of bridges) await driver.packetOut(bridge, renewLease, FRAME);
    this.#tell(await this.#standing(bridges), 'it was granted too late');
  }

  async #standing(bridges: readonly string[]): Promise<boolean> {
    const { cookie, mask } = LEASE_ROW;
    for (const bridge of bridges)
      if (!leaseStands(await this.host.driver.flowStats(bridge, cookie, mask))) return false;
    return true;
  }

  #tell(stands: boolean, why: string): void {
    if (stands === this.#stands) return;
    this.#stands = stands;
    if (stands) this.host.log.info({}, 'the lease stands: ports of groups that isolate are open');
    else this.host.log.warn({ reason: why }, 'there is no lease: ports of groups that isolate are closed');
  }
}

export const leased =
  (ask: AskForLease): MakeService =>
  (host) =>
    new LeaseService(host, ask);
