import { type Clock, type HostName } from '#kernel';
import { bridgeName } from '#compiler';
import { type Driver } from '#openflow';
import { SimulatedDriver, SimulatedSwitch } from '#simulated-switch';
import { type Simulation } from '../simulation.js';
import { UdpFabric } from './fabric.js';
import { type GuestMemory, type GuestSpec } from './guest.js';
import { type Hypervisor } from './hypervisor.js';
import { SimulatedHypervisor, type PlugPoint } from './simulated.js';

export interface SimulatedHost {
  readonly driver: Driver;
  readonly hypervisor: Hypervisor;
  readonly close: () => Promise<void>;
  /** Guests and their memory, for the next start. */
  readonly save: () => readonly SavedGuest[];
}

export interface SavedGuest {
  readonly spec: GuestSpec;
  readonly memory: GuestMemory;
}

/** A whole host without hardware: switch, physical network and hypervisor. */
export async function simulatedHost(
  simulation: Simulation,
  saved: readonly SavedGuest[] | null,
  clock: Clock,
): Promise<SimulatedHost> {
  const target = new SimulatedSwitch({ clock, devices: simulation.uplinks });
  const fabric =
    simulation.fabric === null
      ? null
      : new UdpFabric(simulation.fabric.listen, simulation.fabric.peers, (device, frame) =>
          target.inject(device, frame),
        );
  const guests = new GuestPorts(target);
  target.onTransmit((name, frame) => {
    if (simulation.uplinks.includes(name)) fabric?.send(name, frame);
    else guests.deliver(name);
  });
  await fabric?.start();
  const { migration } = simulation;
  const hypervisor = new SimulatedHypervisor(
    migration?.listen ?? null,
    (host: HostName) => migration?.peers.get(host),
    guests,
    simulation.guests,
    saved,
    migration?.copyMs ?? 0,
  );
  return {
    driver: new SimulatedDriver(target),
    hypervisor,
    close: () => fabric?.close() ?? Promise.resolve(),
    save: () => hypervisor.save(),
  };
}

/** Taps of the guests: plugged as libvirt plugs them, with the same markings. */
class GuestPorts implements PlugPoint {
  readonly #receivers = new Map<string, () => void>();

  constructor(private readonly target: SimulatedSwitch) {}

  async plug(spec: GuestSpec, onFrame: () => void): Promise<(frame: Uint8Array) => void> {
    const bridge = bridgeName(spec.switch);
    await this.target.whenBridge(bridge);
    const name = tapOf(spec);
    this.#receivers.set(name, onFrame);
    this.target.addInterface({
      bridge,
      name,
      mac: spec.mac,
      externalIds: {
        'iface-id': spec.ifaceId,
        'attached-mac': spec.mac,
        'vm-id': spec.owner,
        'port-profile': spec.profile,
        'iface-status': 'active',
      },
    });
    return (frame) => this.target.inject(name, frame);
  }

  unplug(spec: GuestSpec): void {
    this.#receivers.delete(tapOf(spec));
    this.target.removeInterface(tapOf(spec));
  }

  deliver(name: string): void {
    this.#receivers.get(name)?.();
  }
}

const tapOf = (spec: GuestSpec): string => `tap-${spec.owner}`;
