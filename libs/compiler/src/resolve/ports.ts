import { macToBigint } from '#kernel';
import { defaultPolicy, effectivePolicy } from '#domain/on-host';
import { type GroupDocument, type PortDocument, type SetDocument } from '#contracts';
import { filterStages } from '../features/filter/filter.js';
import { checkFilter } from '../features/filter/rules.js';
import { privateStages } from '../features/private-vlan.js';
import { shapingStages } from '../features/shaping.js';
import { malformed } from '../features/spoofing/prefixes.js';
import { alsoUses, isLimited, stagesOf, withLookups } from '../pipeline/stages.js';
import { slotKey } from '../slots.js';
import { type LocalFacts } from '../types.js';
import { sampledBy } from './exports.js';
import { type Interfaces, type Plugged, type Refusal } from './interfaces.js';
import { COPY_LOOKUPS, mirrorsOf } from './mirrors.js';
import { type Life, type Place, type PortPlan } from './plan.js';
import { segmentsOf } from './segments.js';
import { unsupported } from './unsupported.js';
import { resolveTeam } from './teams.js';

/** What all ports of one bridge are resolved against. */
export interface PortContext {
  readonly bridge: string;
  readonly place: Place;
  readonly groups: ReadonlyMap<string, GroupDocument>;
  readonly sets: ReadonlyMap<string, SetDocument>;
  readonly interfaces: Interfaces;
  readonly facts: LocalFacts;
  readonly activated: ReadonlySet<string>;
  readonly turned: ReadonlySet<string>;
  /** Of groups whose ports say nothing themselves, as far as one was asked for: they have it in common. */
  readonly policies: Map<GroupDocument, PolicyPlan | Refusal>;
}

/** What of it is the same for all bridges of the host. */
export type HostContext = Omit<PortContext, 'bridge' | 'place' | 'policies'>;

export const contextOn = (host: HostContext, bridge: string, place: Place): PortContext => ({
  ...host,
  bridge,
  place,
  policies: new Map(),
});

/** What a policy comes to on a bridge. */
export type PolicyPlan = Pick<PortPlan, 'policy' | 'ignored' | 'ranges' | 'secondary' | 'stages' | 'sampled'>;

export interface ResolvedPort {
  /** Absent when not even meters can stand. */
  readonly plan?: PortPlan;
  readonly refusal?: Refusal;
}

/** A port that could be carried out by itself, and can't be beside the others, or for want of a set. */
export const shut = (plan: PortPlan, refusal: Refusal): ResolvedPort => ({
  plan: { ...plan, life: 'closed', ranges: [], stages: 0 },
  refusal,
});

/** One document and the local facts → what the data plane is to do for it. Never throws: a refusal closes the port. */
export function resolvePort(doc: PortDocument, context: PortContext): ResolvedPort {
  const slot = context.facts.slots[slotKey(doc.port, doc.epoch)];
  if (slot === undefined) {
    return { refusal: { code: 'slot-missing', reason: 'no slot is left on this host' } };
  }
  const plugged = pluggedOf(doc, context);
  const base = closedPlan(doc, slot, plugged);
  if (doc.role === 'retired') return { plan: base };
  if (doc.connectee === null) {
    return { plan: base, refusal: refuse('connectee-missing', 'nothing is connected to it') };
  }
  const group = heldGroup(doc, context);
  if ('code' in group) return { plan: base, refusal: group };
  if (context.facts.unconfirmed === true && !group.startOffline)
    return { plan: base, refusal: refuse('offline', UNCONFIRMED) };
  if (plugged.kind === 'refused') return { plan: base, refusal: plugged.refusal };
  const policy = policyOf(doc, group, context);
  if ('code' in policy) return { plan: base, refusal: policy };
  const pin = context.facts.teaming?.pins[slotKey(doc.port, doc.epoch)];
  const team = resolveTeam(policy.policy.teaming, { ...doc, pin }, context.place);
  if (team !== undefined && 'missing' in team)
    return { plan: base, refusal: refuse('uplink-missing', team.missing) };
  const life = lifeOf(doc, context);
  const copied = mirrorsOf(doc, slot, context.place.mirrors);
  const copies = copied.mirrors?.out.length ?? 0;
  if (life === 'waiting' && doc.handover === null) {
    return {
      plan: base,
      refusal: { code: 'token-missing', reason: 'a standby needs the token of its handover' },
    };
  }
  return {
    plan: {
      ...base,
      ...policy,
      ...copied,
      ...(copies === 0 ? {} : { stages: alsoUses(policy.stages, 'MIRROR_OUT', copies * COPY_LOOKUPS) }),
      life,
      ...(group.partitionPolicy === 'isolate' ? { leased: true as const } : {}),
      ...(team === undefined ? {} : { team }),
      ...(doc.handover === null ? {} : { token: macToBigint(doc.handover.token) }),
    },
  };
}

function pluggedOf({ connectee, role }: PortDocument, { interfaces, bridge }: PortContext): Plugged {
  if (connectee === null) return { kind: 'absent' };
  const found = interfaces.find(connectee, bridge);
  // Of the guest's last stay here; its next interface is yet to come.
  const isLeft = role === 'standby' && found.kind === 'refused' && found.refusal.code === 'iface-failed';
  return isLeft ? { kind: 'absent' } : found;
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

function heldGroup(doc: PortDocument, { place, groups }: PortContext): GroupDocument | Refusal {
  if (place.switchDoc === undefined)
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
  return group;
}

/** What the policy of a document comes to, with its group as it is held. */
export function heldPolicy(doc: PortDocument, context: PortContext): PolicyPlan | Refusal {
  const group = heldGroup(doc, context);
  return 'code' in group ? group : policyOf(doc, group, context);
}

function policyOf(doc: PortDocument, group: GroupDocument, context: PortContext): PolicyPlan | Refusal {
  if (Object.keys(doc.override).length > 0) return resolvePolicy(doc, group, context.place);
  let policy = context.policies.get(group);
  if (policy === undefined) {
    policy = resolvePolicy(doc, group, context.place);
    context.policies.set(group, policy);
  }
  return policy;
}

function resolvePolicy(
  { override }: PortDocument,
  group: GroupDocument,
  { switchDoc }: Place,
): PolicyPlan | Refusal {
  const { policy, ignored } = effectivePolicy(
    switchDoc?.uplinks ?? [],
    switchDoc?.policy ?? {},
    group.policy,
    group.overridable,
    override,
  );
  const refused = unsupported(policy);
  if (refused !== null) return refused;
  const filter = checkFilter(policy.filter.rules);
  if (filter !== null) return filter;
  const bad = policy.addresses === null ? null : malformed(policy.addresses.allow);
  if (bad !== null) return refuse('addresses-invalid', bad);
  const segments = segmentsOf(policy.vlan, switchDoc?.privateVlans ?? []);
  if ('code' in segments) return segments;
  const { used, lookups } = filterStages(policy.filter);
  const sampled = policy.ipfix ? sampledBy(switchDoc?.ipfix ?? null) : undefined;
  const told = sampled === undefined ? [] : (['SAMPLE_OUT'] as const);
  const limited = isLimited(policy.bandwidth) ? (['LIMIT_OUT'] as const) : [];
  const all = [
    ...privateStages(segments.secondary),
    ...used,
    ...shapingStages(policy.shapingOut),
    ...limited,
    ...told,
  ];
  const stages = withLookups(stagesOf(all), lookups);
  return { policy, ignored, ...segments, stages, ...(sampled === undefined ? {} : { sampled }) };
}

const UNCONFIRMED =
  'this host has started anew and not heard of the centre since: another may have the port by now (its group does not say startOffline)';

const refuse = (code: Refusal['code'], reason: string): Refusal => ({ code, reason });

const NO_POLICY = defaultPolicy([]);

function closedPlan(doc: PortDocument, slot: number, plugged: Plugged): PortPlan {
  const { name, ofport } = plugged;
  return {
    port: doc.port,
    epoch: doc.epoch,
    role: doc.role,
    slot,
    life: 'closed',
    mac: doc.connectee === null ? 0n : macToBigint(doc.connectee.mac),
    policy: NO_POLICY,
    ignored: [],
    ranges: [],
    stages: 0,
    ...(ofport === undefined ? {} : { ofport }),
    ...(name === undefined ? {} : { ifaceName: name }),
  };
}
