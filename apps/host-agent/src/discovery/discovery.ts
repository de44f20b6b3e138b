import { type Telemetry } from '#contracts';
import { type Compiled, type Desired } from '#compiler';
import { type Observation } from '#openflow';
import { type HandedFrame } from '../packet-ins.js';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';
import { macOf, uplinksOf, type LiveUplink } from '../uplinks.js';
import { VERSION } from '../version.js';
import { Advertiser, type Told } from './advertiser.js';
import { parseLldp } from './lldp.js';
import { Neighbours } from './neighbours.js';

/** LLDP: says which uplink of which host a cable leads to, and hears who is at its other end. */
class DiscoveryService implements AgentService {
  readonly frames = { neighbour: (handed: HandedFrame) => this.#heard(handed) };
  readonly #neighbours: Neighbours;
  readonly #advertiser: Advertiser;
  #listening: readonly LiveUplink[] = [];

  constructor(private readonly host: ServiceHost) {
    const { clock, driver, log } = host;
    this.#neighbours = new Neighbours(clock.monotonic);
    this.#advertiser = new Advertiser({
      clock,
      random: () => host.random(),
      send: (bridge, port, frame) => driver.packetOut(bridge, port, frame),
      failed: ({ device }, cause) =>
        log.warn({ device, reason: String(cause) }, 'the neighbour of an uplink could not be told of it'),
    });
  }

  carriedOut(_compiled: Compiled, { interfaces }: Observation, desired: Desired): void {
    const live = uplinksOf(desired, interfaces).filter(({ iface }) => iface.linkUp);
    const on = (uplink: LiveUplink, mode: 'listen' | 'advertise'): boolean =>
      [mode, 'both'].includes(uplink.document.discovery.mode);
    this.#listening = live.filter((uplink) => on(uplink, 'listen'));
    this.#neighbours.forgetAllBut(new Set(this.#listening.map(({ place }) => place)));
    const advertised = live.filter((uplink) => on(uplink, 'advertise'));
    this.#advertiser.become(new Map(advertised.map((uplink) => [uplink.place, this.#told(uplink)])));
  }

  telemetry(): Pick<Telemetry, 'neighbours'> {
    const neighbours = this.#listening.flatMap(({ place, switch: name, uplink }) => {
      const neighbour = this.#neighbours.at(place);
      return neighbour === null ? [] : [{ switch: name, uplink, ...neighbour }];
    });
    return neighbours.length === 0 ? {} : { neighbours };
  }

  close(): Promise<void> {
    return this.#advertiser.close();
  }

  #heard({ notice, bridge, frame }: HandedFrame): void {
    const by = this.#listening.find((u) => u.bridge === bridge && u.key === notice.slot);
    const said = parseLldp(frame);
    // Who sends nonsense sends it again and again: it is not worth a line each time.
    if (by !== undefined && said.ok) this.#neighbours.hear(by.place, said.value);
  }

  #told({ switch: name, uplink, bridge, ofport, iface, document }: LiveUplink): Told {
    const { intervalSeconds } = document.discovery;
    const { host } = this.host;
    const mac = macOf(iface.mac);
    const what = { host, switch: name, uplink, device: iface.name, mac, version: VERSION };
    return { ...what, bridge, ofport, intervalSeconds };
  }
}

export const discovery: MakeService = (host) => new DiscoveryService(host);
