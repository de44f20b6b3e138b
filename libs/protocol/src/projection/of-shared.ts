import { type Revision, type SetName } from '#kernel';
import { KEYS, type GroupDocument, type SetDocument, type SetRef, type SwitchDocument } from '#contracts';
import {
  featuresOf,
  membersOf,
  setsNamedBy,
  type Group,
  type MemberSet,
  type PolicyPatch,
  type State,
  type Switch,
} from '#domain';
import { type Stamp } from './stamp.js';

/** As of which revision the document of a set stands. */
export type SetRevision = (name: SetName) => Revision;

/** More would not fit into a document. */
const MOST_MACS = 40_000;

export function switchDocument(it: Switch, stamp: Stamp, revisionOf: SetRevision): SwitchDocument {
  return {
    type: 'switch',
    key: KEYS.switch(it.name),
    ...stamp,
    switch: it.name,
    kind: it.kind,
    uplinks: it.uplinks,
    mtu: it.mtu,
    policy: it.policy,
    ...refsOf(it.policy, revisionOf),
    ...featuresOf(it),
  };
}

export function groupDocument(it: Group, stamp: Stamp, revisionOf: SetRevision): GroupDocument {
  return {
    type: 'group',
    key: KEYS.group(it.name),
    ...stamp,
    group: it.name,
    switch: it.switch,
    policy: it.policy,
    ...refsOf(it.policy, revisionOf),
    overridable: it.overridable,
    binding: it.binding,
    partitionPolicy: it.partitionPolicy,
    startOffline: it.startOffline,
    phase: it.phase,
  };
}

export function setDocument(state: State, it: MemberSet, stamp: Stamp): SetDocument {
  return { type: 'set', key: KEYS.set(it.name), ...stamp, set: it.name, members: members(state, it) };
}

function members(state: State, it: MemberSet): SetDocument['members'] {
  if (it.kind === 'addresses') return { kind: 'addresses', addresses: it.addresses };
  const places = membersOf(state, it);
  const macs = places.reduce((sum, place) => sum + place.macs.length, 0);
  return { kind: 'ports', places: macs > MOST_MACS ? null : places };
}

/** The sets that a policy names, and as of when each is to be held. */
export function refsOf(policy: PolicyPatch, revisionOf: SetRevision): { readonly sets?: readonly SetRef[] } {
  const sets = setsNamedBy(policy).map((name) => ({ name, minRevision: revisionOf(name) }));
  return sets.length === 0 ? {} : { sets };
}
