import { type When } from './limits.js';
import { Memory } from './memory.js';
import { ModelSwitch } from './switch.js';
import { type Arrival, type Delivery, type World } from './world.js';

/** All switches of all hosts. They remember, or take each frame as a trace does: see `Memory`. */
export class Model {
  private switches = new Map<string, readonly ModelSwitch[]>();
  /** By host and switch. */
  private readonly memories = new Map<string, Memory>();

  constructor(
    world: World,
    private readonly options: { readonly remembers: boolean },
  ) {
    this.become(world);
  }

  /**
   * Another world, realised on all hosts. Connections of ports that have state before and after go on by its rules; what
   * was learned, joined and noted of links stands as far as it still means something.
   */
  become(world: World): void {
    this.switches = new Map(
      world.hosts.map((host) => [
        host.name,
        world.switches
          .filter((sw) => host.members[sw.name] !== undefined)
          .map((sw) => new ModelSwitch(sw, world, host, this.memoryOf(host.name, sw.name))),
      ]),
    );
  }

  /** Time passes: what holds for a while only, and is not said again, ends. */
  pass(ms: number): void {
    for (const { memberships } of this.memories.values()) memberships.pass(ms);
  }

  /** What a host has to refuse. */
  refusedBy(host: string): string[] {
    return (this.switches.get(host) ?? []).flatMap(({ refused }) => refused).sort();
  }

  /**
   * What comes out of a host's switches: a device is of one of them alone. `when`: absent, all happens at one moment. Throws
   * `Undecidable`; what comes later is undecidable, too.
   */
  receive({ host, device, frame }: Arrival, when?: When): Delivery[] {
    return (this.switches.get(host) ?? []).flatMap((sw) => sw.receive(device, frame, when));
  }

  private memoryOf(host: string, sw: string): Memory {
    const key = `${host} ${sw}`;
    const memory = this.memories.get(key) ?? new Memory(this.options.remembers);
    this.memories.set(key, memory);
    return memory;
  }
}
