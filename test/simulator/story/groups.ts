import { type MigrationId } from '#kernel';
import { type Group } from '#domain';
import { type Random } from '../engine/random.js';
import { type OnLoss } from './loss-policies.js';
import { GROUPS } from './settings.js';
import { type SimWorld } from './world.js';

const SPECS: Readonly<Record<(typeof GROUPS)[number], object>> = {
  web: { ports: 2, policy: { vlan: { mode: 'access', id: 10 } } },
  db: { ports: 2, policy: { vlan: { mode: 'access', id: 10 } } },
  eph: { ports: 0, binding: 'ephemeral', policy: { vlan: { mode: 'access', id: 20 } } },
};

/** `more`: what of it is otherwise. */
export function groupResource({ lossPolicies }: SimWorld, name: string, more: object = {}): object {
  const spec = {
    switch: 'lan',
    overridable: ['blocked'],
    ...SPECS[name as keyof typeof SPECS],
    ...lossPolicies.get(name),
    ...more,
  };
  return { kind: 'PortGroup', name, spec };
}

/** As it is, or another one. */
export function onLoss(
  { lossPolicies }: SimWorld,
  { partitionPolicy, startOffline }: Group,
  dice: Random,
): OnLoss {
  const other = partitionPolicy === 'keep' ? 'isolate' : 'keep';
  const isOther = lossPolicies.size > 0 && dice.chance(0.2);
  return { partitionPolicy: isOther ? other : partitionPolicy, startOffline: isOther ? false : startOffline };
}

const groupOf = (world: SimWorld, name: string): Group | undefined =>
  world.auditor.state.groups.get(name as never);

/**
 * Groups that were deleted come back: those that are closing wait for their guests to go and for the operator to
 * disconnect them. Why that is not so yet, or null.
 */
export function reopened(world: SimWorld): string | null {
  const missing = GROUPS.filter((name) => groupOf(world, name)?.phase !== 'open');
  for (const name of missing) {
    for (const { spec, guest } of world.nics) if (spec.profile === name) world.shutdown(guest);
    if (groupOf(world, name) === undefined) void world.apply(groupResource(world, name));
    else disconnect(world, name);
  }
  return missing.length === 0 ? null : `${missing.join(', ')} not open`;
}

function disconnect(world: SimWorld, name: string): void {
  const { ports, moving } = world.auditor.state;
  for (const port of ports.values()) {
    if (port.group !== name || port.connectee === null) continue;
    const move = moving.get(port.id);
    if (move !== undefined && world.guests.get(port.connectee.owner)?.state === 'off') abort(world, move);
    if (port.active !== null) continue;
    for (const { host } of port.retiring) world.giveUp(host);
    void world.command({ type: 'DisconnectPort', port: port.id }, 1);
  }
}

/** It waits for a guest that was shut down, and may do so for minutes. */
function abort(world: SimWorld, migration: MigrationId): void {
  void world.command({ type: 'AbortMigration', migration, reason: 'the guest was shut down' }, 1);
}
