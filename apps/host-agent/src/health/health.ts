import { type Telemetry } from '#contracts';
import { REG, type Compiled, type Desired } from '#compiler';
import { type Observation } from '#openflow';
import { type HandedFrame } from '../packet-ins.js';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';
import { uplinksOf, type LiveUplink } from '../uplinks.js';
import { Checker, type CheckerParts } from './checker.js';
import { useOf } from './lanes.js';
import { ToldVlans } from './told-vlans.js';

/** VLANs, MTU and teaming, probed between the hosts of each switch that wants it. */
class HealthService implements AgentService {
  readonly frames = { probe: (handed: HandedFrame) => this.#heard(handed) };
  readonly #checkers = new Map<string, Checker>();
  readonly #parts: CheckerParts;
  #uplinks: readonly LiveUplink[] = [];
  readonly #told: ToldVlans;

  constructor({ host, clock, driver, log, record, ...parts }: ServiceHost) {
    const failed = (cause: unknown): void =>
      log.warn({ reason: String(cause) }, 'a frame of the health check could not be sent');
    this.#told = new ToldVlans(record);
    this.#parts = {
      host,
      clock,
      random: () => parts.random(),
      judged: () => this.#told.tell(this.#checkers),
      send: (bridge, ofport, frame) => void driver.packetOut(bridge, ofport, frame).catch(failed),
    };
  }

  carriedOut(compiled: Compiled, { interfaces }: Observation, desired: Desired): void {
    const live = uplinksOf(desired, interfaces).filter(({ iface }) => iface.linkUp);
    this.#uplinks = live;
    this.#told.of(desired.host.lineage);
    const checked = desired.switches.filter((s) => s.healthCheck !== null);
    const names = new Set<string>(checked.map((s) => s.switch));
    for (const [name, checker] of this.#checkers) {
      if (names.has(name)) continue;
      checker.close();
      this.#checkers.delete(name);
    }
    for (const { switch: name, lineage, mtu, healthCheck } of checked) {
      const uplinks = live.filter((u) => u.switch === name);
      const { intervalSeconds } = healthCheck ?? { intervalSeconds: 0 };
      const now = { lineage, switch: name, mtu, intervalSeconds, uplinks, use: useOf(compiled, uplinks) };
      const checker = this.#checkers.get(name);
      if (checker === undefined) this.#checkers.set(name, new Checker(this.#parts, now));
      else checker.become(now);
    }
  }

  telemetry(): Pick<Telemetry, 'health'> {
    const health = [...this.#checkers.values()].flatMap((checker) => checker.report());
    return health.length === 0 ? {} : { health };
  }

  close(): void {
    for (const checker of this.#checkers.values()) checker.close();
  }

  #heard({ notice, bridge, frame, metadata }: HandedFrame): void {
    const by = this.#uplinks.find((u) => u.bridge === bridge && u.key === notice.slot);
    const vlan = Number(metadata[REG.segment]?.value ?? 0n);
    if (by !== undefined) this.#checkers.get(by.switch)?.heard(by, vlan, frame);
  }
}

export const health: MakeService = (host) => new HealthService(host);
