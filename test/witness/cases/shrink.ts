import { type Filter, type PolicyPatch } from '#domain';
import { type HostSpec, type SetSpec, type World } from '../model/world.js';
import { type Case } from './case.js';
import { worldAfter } from './events.js';

/** Smaller cases, one step away: the biggest steps first. */
export function* smaller(c: Case): Generator<Case> {
  const { world, rounds, events } = c;
  for (const i of events.keys()) yield { ...c, events: without(events, i) };
  const [first] = events;
  if (first !== undefined && 'becomes' in first)
    yield { ...c, world: worldAfter(world, first), events: events.slice(1) };
  const frames = rounds.flat().length;
  if (frames > 1) {
    for (const [i, round] of rounds.entries())
      for (const j of round.keys()) yield { ...c, rounds: replaced(rounds, i, without(round, j)) };
  }
  for (const [i, event] of events.entries()) {
    if (!('becomes' in event)) continue;
    for (const { groups, sets } of groupsShrunk({ ...world, ...event.becomes }))
      yield { ...c, events: replaced(events, i, { before: event.before, becomes: { groups, sets } }) };
  }
  if (events.some((event) => 'becomes' in event)) {
    for (const w of groupsShrunk(world)) yield { ...c, world: w };
    return;
  }
  for (const w of smallerWorlds(world)) yield { ...c, world: w, rounds: keptIn(w, rounds) };
}

function* groupsShrunk(world: World): Generator<World> {
  for (const i of world.groups.keys()) yield* smallerGroups(world, i);
}

/** Takes steps as long as one of them keeps the fault; at most so many are tried. */
export async function shrunk(
  c: Case,
  stillFails: (c: Case) => Promise<boolean>,
  tries: number,
): Promise<Case> {
  let best = c;
  let left = tries;
  for (let found = true; found && left > 0;) {
    found = false;
    for (const next of smaller(best)) {
      if (left-- <= 0) break;
      if (!(await stillFails(next))) continue;
      best = next;
      found = true;
      break;
    }
  }
  return best;
}

const without = <T>(list: readonly T[], i: number): T[] => list.filter((_, at) => at !== i);
const replaced = <T>(list: readonly T[], i: number, item: T): T[] =>
  list.map((x, at) => (at === i ? item : x));

function* smallerWorlds(world: World): Generator<World> {
  const { hosts, groups, switches } = world;
  if (hosts.length > 1) for (const i of hosts.keys()) yield { ...world, hosts: without(hosts, i) };
  for (const [i, host] of hosts.entries()) {
    const changed = (h: HostSpec): World => ({ ...world, hosts: replaced(hosts, i, h) });
    for (const j of host.ports.keys()) yield changed({ ...host, ports: without(host.ports, j) });
    for (const [j, port] of host.ports.entries())
      for (const override of smallerPolicies(port.override))
        yield changed({ ...host, ports: replaced(host.ports, j, { ...port, override }) });
    if (host.down.length > 0) yield changed({ ...host, down: [] });
  }
  for (const i of groups.keys()) yield* smallerGroups(world, i);
  for (const [i, set] of world.sets.entries())
    for (const s of smallerSets(set)) yield { ...world, sets: replaced(world.sets, i, s) };
  for (const [i, sw] of switches.entries())
    for (const j of sw.mirrors.keys())
      yield { ...world, switches: replaced(switches, i, { ...sw, mirrors: without(sw.mirrors, j) }) };
  for (const [i, sw] of switches.entries())
    for (const name of Object.keys(sw.classLimits)) {
      const classLimits = Object.fromEntries(
        Object.entries(sw.classLimits).filter(([other]) => other !== name),
      );
      yield { ...world, switches: replaced(switches, i, { ...sw, classLimits }) };
    }
  for (const [i, sw] of switches.entries())
    for (const policy of smallerPolicies(sw.policy))
      if (policy.teaming !== undefined)
        yield { ...world, switches: replaced(switches, i, { ...sw, policy }) };
}

function* smallerSets(set: SetSpec): Generator<SetSpec> {
  if (set.kind === 'ports') for (const i of set.ports.keys()) yield { ...set, ports: without(set.ports, i) };
  else for (const i of set.addresses.keys()) yield { ...set, addresses: without(set.addresses, i) };
}

function* smallerGroups(world: World, i: number): Generator<World> {
  const group = world.groups[i];
  if (group === undefined) return;
  for (const policy of smallerPolicies(group.policy))
    yield { ...world, groups: replaced(world.groups, i, { ...group, policy }) };
}

function* smallerPolicies(policy: PolicyPatch): Generator<PolicyPatch> {
  for (const field of Object.keys(policy))
    yield Object.fromEntries(Object.entries(policy).filter(([name]) => name !== field));
  if (policy.filter !== undefined)
    for (const filter of smallerFilters(policy.filter)) yield { ...policy, filter };
}

function* smallerFilters(filter: Filter): Generator<Filter> {
  for (const i of filter.rules.keys()) yield { ...filter, rules: without(filter.rules, i) };
  if (filter.stateful) yield { ...filter, stateful: false };
}

const keptIn = (world: World, rounds: Case['rounds']): Case['rounds'] =>
  rounds.map((round) => round.filter(({ host }) => world.hosts.some(({ name }) => name === host)));
