import { type State } from '#domain';
import { type Machine } from '../host/machine.js';
import { type SimWorld } from './world.js';

/** The meters of a switch go with all that they counted, or nobody will tell what they say. */
export function forgotten(world: SimWorld, machine: Machine, state: State = world.auditor.state): void {
  const { auditor } = world;
  for (const nic of machine.known) {
    nic.exact = false;
    const ports = [...(auditor.portsOf.get(nic.spec.ifaceId) ?? [])];
    const told = ports.some((id) =>
      state.ports.get(id)?.ledger.segments.some((s) => s.close === null && s.host === machine.name),
    );
    if (!told) nic.silent = true;
  }
}
