import fc from 'fast-check';
import { type Desired } from '../types.js';
import { calmPort, type Port } from './ports.fixture.js';
import {
  groupPolicy,
  looks,
  members,
  NO_POLICIES,
  sceneOf,
  type GroupPolicy,
  type Looks,
  type Members,
} from './scenes.fixture.js';

/** All that the documents of a host may say, in the words of a scene. */
export interface World {
  readonly ports: readonly Port[];
  readonly groups: readonly [GroupPolicy, GroupPolicy];
  readonly look: Looks;
  readonly its: Members;
  readonly uplinks: Readonly<Record<string, string>>;
}

export const PORTS = 5;

const uplinks = fc.constantFrom<Record<string, string>>(
  { uplink1: 'eth0', uplink2: 'eth1' },
  { uplink1: 'eth0', uplink2: 'eth1' },
  { uplink1: 'eth1', uplink2: 'eth0' },
  { uplink1: 'eth0' },
  { uplink2: 'eth1', uplink1: 'eth2' },
);
export const world: fc.Arbitrary<World> = fc.record({
  ports: fc.array(calmPort, { minLength: 2, maxLength: PORTS }),
  groups: fc.tuple(groupPolicy, fc.constant(NO_POLICIES[1])),
  look: looks,
  its: members,
  uplinks,
});

/** Some of what another world says. */
const part = fc.oneof(
  { weight: 3, arbitrary: fc.constant<readonly (keyof World)[]>(['ports']) },
  fc.subarray<keyof World>(['ports', 'groups', 'look', 'its', 'uplinks'], { minLength: 1 }),
);

export const desiredIn = ({ ports, groups, look, its, uplinks: devices }: World): Desired => {
  const said = sceneOf(ports, groups, look, its).desired;
  return { ...said, host: { ...said.host, switches: [{ switch: 'lan', uplinks: devices }] as never } };
};

/** What documents said, and what they say after a change of one thing or of many. */
export const turn = fc
  .tuple(world, world, part)
  .map(([first, other, keys]): readonly [World, World] => [
    first,
    { ...first, ...Object.fromEntries(keys.map((key) => [key, other[key]])) },
  ]);
