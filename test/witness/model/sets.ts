import { isWithin, type Frame } from './frame.js';
import { policyOf } from './policy.js';
import { carries } from './segments.js';
import { type SetSpec, type SwitchSpec, type World } from './world.js';

/** Of what a frame says: who sent it, or whom it is for. */
export type End = 'src' | 'dst';

/** Who is in which sets of a world, as one switch has it. */
export class Sets {
  constructor(
    private readonly world: World,
    private readonly sw: SwitchSpec,
  ) {}

  has(name: string, end: End, frame: Frame, segment: number): boolean {
    const set = this.world.sets.find((s) => s.name === name);
    if (set === undefined) throw new Error(`a rule names set ${name}, which is none`);
    if (set.kind === 'ports') return this.isMember(set, end === 'src' ? frame.from : frame.to, segment);
    const { body, tags } = frame;
    if (body.kind !== 'ip' || tags.length > 0) return false;
    return set.addresses.some((prefix) => isWithin(body[end], prefix));
  }

  /** A port is known by its own MAC and its extra ones, in its VLAN and on its switch. */
  private isMember(set: Extract<SetSpec, { kind: 'ports' }>, mac: string, segment: number): boolean {
    return membersOf(this.world, set).some(
      (m) => m.switch === this.sw && m.macs.includes(mac) && carries(this.sw, m.policy.vlan, segment),
    );
  }
}

/** The connected ports of a set. */
export function membersOf(world: World, { ports }: Extract<SetSpec, { kind: 'ports' }>) {
  const plugged = world.hosts.flatMap((h) => h.ports).filter((p) => p.device !== null && ports.includes(p.n));
  return plugged.flatMap((port) => {
    const group = world.groups.find((g) => g.name === port.group);
    const sw = world.switches.find((s) => s.name === group?.switch);
    if (group === undefined || sw === undefined) return [];
    const policy = policyOf(sw, group, port);
    return [{ switch: sw, policy, macs: [port.mac, ...policy.macs.extra] }];
  });
}
