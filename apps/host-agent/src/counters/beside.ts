import {
  PNIC_FLOWS,
  pnicCounts,
  REFUSED_FLOWS,
  refusedFrames,
  type Compiled,
  type CompiledBinding,
} from '#compiler';
import { type BesideLedger, type DeviceCounts, type Telemetry } from '#contracts';
import { type MeterStats, type PortStats } from '#openflow';
import { bindingKey, type BindingKey } from '../state/memory.js';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';
import { compared, comparedAgain, continues, errorsSince, type Counted, type Loss } from './lost.js';
import { goneOn, type GoneOn } from './pnic.js';
import { uplinkDevices } from './uplink-devices.js';

/** Turns of the telemetry from one look to the next: it is no part of the ledger, and rates are per second anyhow. */
const TURNS = 5;

type Told = Pick<Telemetry, 'beside' | 'devices'>;
type Plugged = CompiledBinding & { readonly ofport: number };
type Devices = ReadonlyMap<number, PortStats>;

interface Compared {
  readonly port: Plugged;
  readonly loss: Loss;
  readonly device: PortStats;
}

/** Of a binding, at the last look. */
interface Known {
  readonly port: Plugged;
  readonly loss: Loss;
  readonly exceptions: BesideLedger['exceptions'];
  readonly pnic?: GoneOn;
}

/** What the switch knows of ports and uplinks that is told beside the ledger. It is read in the telemetry's rhythm. */
export class BesideLedgerService implements AgentService {
  #known: ReadonlyMap<BindingKey, Known> = new Map();
  #told: Told = {};
  #turn = 0;
  #looking = false;

  constructor(private readonly host: ServiceHost) {}

  /** What the last look said; every few turns it begins another. */
  telemetry(): Partial<Telemetry> {
    if (this.#turn++ % TURNS === 0 && !this.#looking) {
      this.#looking = true;
      // A switch that is away, or a bridge that is not made yet, is told of by whoever makes it.
      void this.look()
        .then((told) => (this.#told = told))
        .catch(() => (this.#told = {}))
        .finally(() => (this.#looking = false));
    }
    return this.#told;
  }

  /** One at a time: each goes on from the one before. */
  async look(): Promise<Told> {
    const compiled = this.host.compiled();
    if (compiled === null) return {};
    const known = new Map<BindingKey, Known>();
    const devices: DeviceCounts[] = [];
    for (const { name, switch: of } of compiled.state.bridges) {
      const seen = byNumber(await this.host.driver.portStats(name));
      const interfaces = (this.host.observation()?.interfaces ?? []).filter((i) => i.bridge === name);
      const refused = refusedFrames(
        await this.host.driver.flowStats(name, REFUSED_FLOWS.cookie, REFUSED_FLOWS.mask),
      );
      devices.push(...uplinkDevices(of, interfaces, seen, refused, this.host.clock.now()));
      const ports = pluggedAt(compiled, name);
      const losses = await this.#compared(name, ports, seen);
      const crossed = await this.host.driver.flowStats(name, PNIC_FLOWS.cookie, PNIC_FLOWS.mask);
      const bySlot = pnicCounts(crossed);
      for (const { port, loss, device } of losses) {
        const now = bySlot.get(port.slot);
        const pnic = now === undefined ? {} : { pnic: goneOn(this.#known.get(keyOf(port))?.pnic, now) };
        known.set(keyOf(port), { port, loss, exceptions: errorsSince(loss, device), ...pnic });
      }
    }
    this.#known = known;
    return { beside: [...known.values()].map(told), devices };
  }

  /** Meters between two readings of the devices: see lost.ts. The second is for those that are new alone. */
  async #compared(bridge: string, ports: readonly Plugged[], devices: Devices): Promise<readonly Compared[]> {
    const { driver } = this.host;
    const ids = ports.flatMap(({ meters: { in: m } }) => [m.unicast, m.multicast, m.broadcast]);
    const meters = new Map((await driver.meterStats(bridge, ids)).map((m) => [m.id, m]));
    let later: Devices | undefined;
    const result: Compared[] = [];
    for (const port of ports) {
      const counted = countedOf(port, meters);
      if (counted === undefined) continue;
      const before = this.#known.get(keyOf(port))?.loss;
      const goesOn = continues(before, port.ofport, counted);
      if (!goesOn) later ??= byNumber(await driver.portStats(bridge));
      const device = (goesOn ? devices : later)?.get(port.ofport);
      if (device === undefined) continue;
      const loss = goesOn ? comparedAgain(before, counted, device) : compared(port.ofport, counted, device);
      result.push({ port, loss, device });
    }
    return result;
  }
}

export const besideLedger: MakeService = (host) => new BesideLedgerService(host);

function told({ port: { port, epoch }, loss: { lost }, exceptions, pnic }: Known): BesideLedger {
  return { port, epoch, lost, exceptions, ...(pnic === undefined ? {} : { pnic: pnic.sum }) };
}

const keyOf = ({ port, epoch }: CompiledBinding): BindingKey => bindingKey(port, epoch);

const pluggedAt = ({ bindings }: Compiled, bridge: string): readonly Plugged[] =>
  bindings.filter((b): b is Plugged => b.bridge === bridge && b.ofport !== undefined && b.role !== 'retired');

const byNumber = (stats: readonly PortStats[]): Devices => new Map(stats.map((s) => [s.number, s]));

/** Undefined where one of the meters is not there. */
function countedOf(
  { meters: { in: ids } }: CompiledBinding,
  stats: ReadonlyMap<number, MeterStats>,
): Counted | undefined {
  const three = [ids.unicast, ids.multicast, ids.broadcast].flatMap((id) => stats.get(id) ?? []);
  if (three.length < 3) return undefined;
  return {
    packets: three.reduce((sum, m) => sum + Number(m.packetsIn), 0),
    ageMs: Math.min(...three.map((m) => m.durationMs)),
  };
}
