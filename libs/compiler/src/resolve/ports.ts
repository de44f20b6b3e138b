import { macToBigint } from '#kernel';
import { defaultPolicy, effectivePolicy } from '#domain/on-host';
import { type GroupDocument, type PortDocument, type SwitchDocument } from '#contracts';
import { checkFilter } from '../features/filter/rules.js';
import { slotKey } from '../slots.js';
import { type LocalFacts } from '../types.js';
import { type Interfaces, type Plugged, type Refusal } from './interfaces.js';
import { segmentRanges, type Life, type PortPlan, type UplinkPlan } from './plan.js';
import { resolveTeam } from './uplinks.js';

/** What all ports of one bridge are resolved against. */
export interface PortContext {
  readonly bridge: string;
  readonly switchDoc: SwitchDocument | undefined;
  readonly groups: ReadonlyMap<string, GroupDocument>;
  readonly mapping: Readonly<Record<string, string>>;
  readonly uplinks: readonly UplinkPlan[];
  readonly interfaces: Interfaces;
  readonly facts: LocalFacts;
  readonly activated: ReadonlySet<string>;
  readonly turned: ReadonlySet<string>;
}

export interface ResolvedPort {
  /** Absent when not even meters can stand. */
  readonly plan?: PortPlan;
  readonly refusal?: Refusal;
}

/** One document and the local facts → what the data plane is to do for it. Never throws: a refusal closes the port. */
export function resolvePort(doc: PortDocument, context: PortContext): ResolvedPort {
  const slot = context.facts.slots[slotKey(doc.port, doc.epoch)];
  if (slot === undefined) {
    return { refusal: { code: 'slot-missing', reason: 'no slot is left on this host' } };
  }
  const plugged: Plugged =
    doc.connectee === null ? { kind: 'absent' } : context.interfaces.find(doc.connectee, context.bridge);
  const base = closedPlan(doc, slot, plugged);
  if (doc.role === 'retired') return { plan: base };
  if (doc.connectee === null) {
    return { plan: base, refusal: refuse('connectee-missing', 'nothing is connected to it') };
  }
  const policy = resolvePolicy(doc, context);
  if ('code' in policy) return { plan: base, refusal: policy };
  if (plugged.kind === 'refused') return { plan: base, refusal: plugged.refusal };
  const team = resolveTeam(policy.policy.teaming, context.mapping, context.uplinks);
  if (team !== undefined && 'missing' in team) {
    return { plan: base, refusal: { code: 'uplink-missing', reason: team.missing } };
  }
  const filter = checkFilter(policy.policy.filter);
  if (filter !== null) return { plan: base, refusal: filter };
  const life = lifeOf(doc, context);
  if (life === 'waiting' && doc.handover === null) {
    return {
      plan: base,
      refusal: { code: 'token-missing', reason: 'a standby needs the token of its handover' },
    };
  }
  return {
    plan: {
      ...base,
      life,
      policy: policy.policy,
      ignored: policy.ignored,
      ranges: segmentRanges(policy.policy.vlan),
      ...(team === undefined ? {} : { team }),
      ...(doc.handover === null ? {} : { token: macToBigint(doc.handover.token) }),
    },
  };
}

function lifeOf(doc: PortDocument, { activated, turned }: PortContext): Life {
  const key = slotKey(doc.port, doc.epoch);
  switch (doc.role) {
    case 'retired':
      return 'closed';
    case 'standby':
      return activated.has(key) ? 'owner' : 'waiting';
    case 'active':
      if (turned.has(key)) return 'turned';
      return doc.handover === null ? 'owner' : 'armed';
  }
}

function resolvePolicy(doc: PortDocument, { switchDoc, groups }: PortContext) {
  if (switchDoc === undefined)
    return refuse('switch-missing', `the document of switch ${doc.switch} is not held`);
  const group = groups.get(doc.group);
  if (group?.switch !== doc.switch)
    return refuse('group-missing', `the document of group ${doc.group} is not held`);
  if (group.lineage !== doc.lineage || group.revision < doc.minRevision) {
    const has = `${group.lineage}:${group.revision}`;
    return refuse(
      'group-stale',
      `group ${doc.group} is held at ${has}, needed ${doc.lineage}:${doc.minRevision}`,
    );
  }
  return effectivePolicy(switchDoc.uplinks, switchDoc.policy, group.policy, group.overridable, doc.override);
}

const refuse = (code: Refusal['code'], reason: string): Refusal => ({ code, reason });

function closedPlan(doc: PortDocument, slot: number, plugged: Plugged): PortPlan {
  const { name, ofport } = plugged;
  return {
    port: doc.port,
    epoch: doc.epoch,
    role: doc.role,
    slot,
    life: 'closed',
    mac: doc.connectee === null ? 0n : macToBigint(doc.connectee.mac),
    policy: defaultPolicy([]),
    ignored: [],
    ranges: [],
    ...(ofport === undefined ? {} : { ofport }),
    ...(name === undefined ? {} : { ifaceName: name }),
  };
}
