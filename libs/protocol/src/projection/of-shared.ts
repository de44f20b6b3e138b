import { KEYS, type GroupDocument, type SwitchDocument } from '#contracts';
import { featuresOf, type Group, type Switch } from '#domain';
import { type Stamp } from './stamp.js';

export function switchDocument(it: Switch, stamp: Stamp): SwitchDocument {
  return {
    type: 'switch',
    key: KEYS.switch(it.name),
    ...stamp,
    switch: it.name,
    kind: it.kind,
    uplinks: it.uplinks,
    mtu: it.mtu,
    policy: it.policy,
    ...featuresOf(it),
  };
}

export function groupDocument(it: Group, stamp: Stamp): GroupDocument {
  return {
    type: 'group',
    key: KEYS.group(it.name),
    ...stamp,
    group: it.name,
    switch: it.switch,
    policy: it.policy,
    overridable: it.overridable,
    binding: it.binding,
    partitionPolicy: it.partitionPolicy,
    startOffline: it.startOffline,
    phase: it.phase,
  };
}
