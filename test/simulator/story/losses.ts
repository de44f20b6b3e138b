import { type State } from '#domain';
import { type Auditor } from '../checks/auditor.js';
import { type Nic } from '../host/guest.js';
import { type Machine } from '../host/machine.js';

/** The meters of a switch go with all that they counted, or nobody will tell what they say. */
export function forgotten(auditor: Auditor, machine: Machine, state: State = auditor.state): void {
  for (const nic of machine.known) forgottenOf(nic, auditor, machine, state);
}

export function forgottenOf(nic: Nic, auditor: Auditor, { name }: Machine, state: State): void {
  nic.exact = false;
  const ports = [...(auditor.portsOf.get(nic.spec.ifaceId) ?? [])];
  const told = ports.some((id) =>
    state.ports.get(id)?.ledger.segments.some((s) => s.close === null && s.host === name),
  );
  if (!told) nic.silent = true;
}
