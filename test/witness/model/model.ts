import { ModelSwitch } from './switch.js';
import { type Arrival, type Delivery, type World } from './world.js';

/** All switches of all hosts. It remembers connections, or takes each frame for the first of its own. */
export class Model {
  private readonly switches = new Map<string, readonly ModelSwitch[]>();

  constructor(world: World, { remembers }: { readonly remembers: boolean }) {
    for (const host of world.hosts) {
      const here = world.switches.filter((sw) => host.members[sw.name] !== undefined);
      this.switches.set(
        host.name,
        here.map((sw) => new ModelSwitch(sw, world, host, remembers)),
      );
    }
  }

  /** What a host has to refuse. */
  refusedBy(host: string): string[] {
    return (this.switches.get(host) ?? []).flatMap(({ refused }) => refused).sort();
  }

  /** What comes out of a host's switches: a device is of one of them alone. */
  receive({ host, device, frame }: Arrival): Delivery[] {
    return (this.switches.get(host) ?? []).flatMap((sw) => sw.receive(device, frame));
  }
}
