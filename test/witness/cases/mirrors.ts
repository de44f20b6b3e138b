import { type Mirror } from '#domain';
import { type SwitchSpec, type World } from '../model/world.js';
import { type Random } from './random.js';
import { MIRROR_VLAN, PRIMARY, VLANS } from './values.js';

/** Some switches of a world with mirrors. */
export function withMirrors(random: Random, world: World): World {
  if (!random.chance(0.4)) return world;
  const switches = world.switches.map((sw) => {
    const groups = world.groups.filter((g) => g.switch === sw.name).map((g) => g.name);
    const ports = world.hosts
      .flatMap((h) => h.ports)
      .filter((p) => groups.includes(p.group))
      .map(({ n }) => `p${n}`);
    if (ports.length === 0) return sw;
    const bundles = JSON.stringify(world).includes('"ip-hash"');
    const mirrors = Array.from({ length: random.between(1, 3) }, (_, i) =>
      mirror(random, sw, { name: `m${i}`, groups, ports, bundles }),
    );
    return { ...sw, mirrors };
  });
  return { ...world, switches };
}

interface There {
  readonly name: string;
  readonly groups: readonly string[];
  readonly ports: readonly string[];
  /** Some port goes by several uplinks as by one: by which of them is nobody's affair. */
  readonly bundles: boolean;
}

function mirror(random: Random, sw: SwitchSpec, { name, groups, ports, bundles }: There): Mirror {
  const isAway = sw.name === 'lan' && random.chance(0.4);
  const port = random.pick(ports);
  const uplinks = random.shuffled(sw.uplinks).slice(0, random.between(1, sw.uplinks.length));
  const way = () => random.pick(['in', 'out', 'both']);
  const others = isAway ? ports : ports.filter((other) => other !== port);
  const source = () =>
    random.weighted<() => object>(
      [others.length > 0 ? 4 : 0, () => ({ port: random.pick(others), direction: way() })],
      [2, () => ({ group: random.pick(groups), direction: way() })],
      [3, () => ({ uplink: random.pick(sw.uplinks), direction: bundles ? 'in' : way() })],
    )();
  const vlans = [random.pick(SEGMENTS), ...random.some(SEGMENTS, 0.4)];
  const made = {
    name,
    sources: Array.from({ length: random.between(1, 3) }, source),
    ...(random.chance(0.4) ? { vlans: [...new Set(vlans)] } : {}),
    to: isAway ? { uplinks, vlan: MIRROR_VLAN } : { port },
    // What is cut off is where a frame has its number.
    snapLength: null,
    allowTraffic: random.chance(0.5),
  };
  return made as unknown as Mirror;
}

const SEGMENTS = [0, ...VLANS, PRIMARY, MIRROR_VLAN];
