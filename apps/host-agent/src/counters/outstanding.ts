import { KEYS, type PortDocument } from '#contracts';
import { bridgeName, meterSlot, type Desired } from '#compiler';
import { type GroupName, type Revision } from '#kernel';
import { type Observation } from '#openflow';
import { bindingKey, parseBindingKey, type BindingKey } from '../state/memory.js';
import { type Incarnations } from './counters.js';

/**
 * Bindings that no document speaks of any more, and whose counters were never handed in, as retired ones. A host has
 * one document for a port, the one of its newest binding: a guest that is back before its last binding was closed, or
 * that came back from a migration, puts it in the place of the old one. What was counted under that is owed still:
 * its meters stay until their last word was told.
 */
export function outstanding(
  desired: Desired,
  incarnations: Incarnations,
  slots: Readonly<Record<string, number>>,
  have: Observation,
  spokenOf: ReadonlySet<BindingKey> = new Set(desired.ports.map((p) => bindingKey(p.port, p.epoch))),
): readonly PortDocument[] {
  const owed: PortDocument[] = [];
  for (const [key, { closed }] of incarnations) {
    const slot = slots[key];
    if (closed || spokenOf.has(key) || slot === undefined) continue;
    const bridge = have.bridges.find((b) => b.meters.some((m) => meterSlot(m.id) === slot))?.name;
    const member = desired.host.switches.find((s) => bridgeName(s.switch) === bridge);
    if (member !== undefined) owed.push(retired(desired, key, member.switch));
  }
  return owed;
}

function retired({ host }: Desired, key: BindingKey, of: PortDocument['switch']): PortDocument {
  const { port, epoch } = parseBindingKey(key);
  return {
    type: 'port',
    schema: 1,
    key: KEYS.port(host.host, port),
    lineage: host.lineage,
    revision: host.revision,
    port,
    host: host.host,
    switch: of,
    // What is retired is under no policy.
    group: '' as GroupName,
    minRevision: 0 as Revision,
    epoch,
    role: 'retired',
    connectee: null,
    override: {},
    handover: null,
    lease: null,
  };
}
