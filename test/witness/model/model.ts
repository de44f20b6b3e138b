import { type Policy } from '#domain';
import { Connections } from './connections.js';
import { ModelSwitch } from './switch.js';
import { type Arrival, type Delivery, type HostSpec, type PortSpec, type World } from './world.js';

/** All switches of all hosts. It remembers connections, or takes each frame for the first of its own. */
export class Model {
  private switches = new Map<string, readonly ModelSwitch[]>();
  /** Of ports whose filters have state. */
  private connections = new Map<string, Connections>();

  constructor(
    world: World,
    private readonly options: { readonly remembers: boolean },
  ) {
    this.become(world);
  }

  /** Another world, realised on all hosts. Connections of ports that have state before and after go on by its rules. */
  become(world: World): void {
    const kept = new Map<string, Connections>();
    this.switches = new Map(
      world.hosts.map((host) => [
        host.name,
        world.switches
          .filter((sw) => host.members[sw.name] !== undefined)
          .map(
            (sw) =>
              new ModelSwitch(sw, world, host, (port, policy) =>
                this.connectionsOf(host, port, policy, kept),
              ),
          ),
      ]),
    );
    this.connections = kept;
  }

  /** What a host has to refuse. */
  refusedBy(host: string): string[] {
    return (this.switches.get(host) ?? []).flatMap(({ refused }) => refused).sort();
  }

  /** What comes out of a host's switches: a device is of one of them alone. */
  receive({ host, device, frame }: Arrival): Delivery[] {
    return (this.switches.get(host) ?? []).flatMap((sw) => sw.receive(device, frame));
  }

  private connectionsOf(
    host: HostSpec,
    port: PortSpec,
    { filter }: Policy,
    kept: Map<string, Connections>,
  ): Connections {
    const key = `${host.name} ${port.n}`;
    const connections = this.connections.get(key) ?? new Connections(this.options.remembers);
    if (filter.stateful) kept.set(key, connections);
    return connections;
  }
}
