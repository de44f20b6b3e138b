import { atLeast } from '../ledger/counters.js';
import { holds } from '../ledger/facts.js';
import { isOver, runningEvacuations } from '../evacuation/guests.js';
import { hasEnded, runningMigrations } from '../migration/phases.js';
import { DELETED_KEPT } from '../port/deleted.js';
import {
  type Evacuation,
  type Group,
  type Host,
  type Migration,
  type Port,
  type State,
} from '../model/state.js';
import { type PolicyPatch } from '../policy/policy.js';
import { macKeys } from '../port/segment.js';
import { setsNamedBy } from '../set/members.js';
import { reindexed } from './json.js';

type Say = (what: string) => void;

/** What must hold after every commit, whatever happened; one sentence for each thing that does not. */
export function checkInvariants(state: State): string[] {
  const broken: string[] = [];
  const say: Say = (what) => broken.push(what);
  for (const port of state.ports.values()) {
    checkBindings(state, port, (what) => say(`port ${port.id}: ${what}`));
    checkLedger(port, (what) => say(`port ${port.id}: ${what}`));
  }
  for (const group of state.groups.values())
    checkGroup(state, group, (what) => say(`group ${group.name}: ${what}`));
  for (const m of state.migrations.values())
    checkMigration(state, m, (what) => say(`migration ${m.id}: ${what}`));
  for (const host of state.hosts.values())
    checkClaims(state, host, (what) => say(`host ${host.name}: ${what}`));
  for (const e of state.evacuations.values())
    checkEvacuation(state, e, (what) => say(`evacuation ${e.id}: ${what}`));
  checkSets(state, say);
  checkNics(state, say);
  checkIndexes(state, say);
  return broken;
}

function checkBindings(state: State, port: Port, say: Say): void {
  const { active, standby, retiring, epoch } = port;
  const all = [active, standby, ...retiring].filter((b) => b !== null);
  if (port.deleted && (all.length > 0 || port.connectee !== null)) say('is deleted and still in use');
  if (all.length > 0 && port.connectee === null) say('has a binding and no connectee');
  const epochs = all.map((b) => b.epoch);
  if (new Set(epochs).size !== epochs.length) say('has one epoch twice');
  if (epochs.some((e) => e > epoch)) say(`has a binding beyond its epoch ${epoch}`);
  if (standby !== null && standby.epoch !== epoch) say('has a standby that is not of its newest epoch');
  if (active !== null && retiring.some((b) => b.epoch > active.epoch && b.host === active.host)) {
    say('retires an epoch on its host that is newer than the active one');
  }
  if (active !== null && standby?.host === active.host) say('is active and standby on one host');
  const members = state.switches.get(port.switch)?.members ?? {};
  for (const b of [active, standby]) {
    if (b === null) continue;
    if (!state.hosts.has(b.host)) say(`is held by the unknown host ${b.host}`);
    if (members[b.host] === undefined) say(`is held by ${b.host}, which is not in its switch`);
  }
  if (standby !== null) {
    const migration = state.migrations.get(standby.migration);
    if (migration === undefined || hasEnded(migration.phase))
      say('has a standby without a running migration');
    else if (!migration.ports.some((p) => p.port === port.id)) say('is standby for a migration of others');
  }
}

/** What a host waits for, or was taken from it, both know; and nobody waits for what it has. */
function checkClaims(state: State, host: Host, say: Say): void {
  const claims = host.claims ?? [];
  const claiming = ({ claim, taken = [] }: Port): boolean =>
    claim?.host === host.name || taken.includes(host.name);
  for (const id of claims) {
    const port = state.ports.get(id);
    if (port === undefined || !claiming(port)) say(`lists ${id}, which knows nothing of it`);
    else if (port.active?.host === host.name) say(`waits for ${id}, which is active there`);
  }
  for (const port of state.ports.values())
    if (claiming(port) && !claims.includes(port.id)) say(`does not list ${port.id}`);
}

function checkLedger(port: Port, say: Say): void {
  const open = new Set<string>();
  for (const s of port.ledger.segments) {
    if (s.close !== null) {
      if (!atLeast(s.close, s.open)) say(`has a segment of epoch ${s.epoch} that fell`);
      continue;
    }
    if (!holds(port, s.host, s.epoch)) say(`counts on ${s.host} at epoch ${s.epoch}, which nobody holds`);
    for (const key of [`${s.host} ${s.epoch}`, `${s.host} ${s.incarnation}`]) {
      if (open.has(key)) say(`counts twice at ${key}`);
      open.add(key);
    }
  }
}

function checkGroup(state: State, group: Group, say: Say): void {
  if (!state.switches.has(group.switch)) say(`is on the unknown switch ${group.switch}`);
  const ports = state.byGroup.get(group.name);
  const size = ports?.size ?? 0;
  if (group.binding === 'static' && size < group.ports) say(`has ${size} of ${group.ports} ports`);
  if (group.binding === 'ephemeral' && group.ports > 0 && size > group.ports) say(`has more than its limit`);
  if (group.phase === 'closing' && size === (state.free.get(group.name)?.size ?? 0))
    say('is closing and empty');
  for (const id of ports ?? []) {
    if (state.ports.get(id)?.switch !== group.switch) say(`is on another switch than its port ${id}`);
  }
}

function checkMigration(state: State, m: Migration, say: Say): void {
  if (hasEnded(m.phase)) return;
  for (const p of m.ports) {
    if (state.moving.get(p.port) !== m.id) say(`moves ${p.port}, which is not marked so`);
    const port = state.ports.get(p.port);
    if (!p.activated && port?.standby?.migration !== m.id) say(`has no standby for ${p.port}`);
    if (p.activated && (port?.epoch ?? 0) < p.epoch) say(`activated ${p.port} beyond its epoch`);
  }
  if (m.phase === 'switched' && m.ports.some((p) => !p.activated))
    say('has switched without all of its ports');
  if (m.source === m.destination) say('goes nowhere');
}

/** What it takes to be on its way is, and what is on its way for it it knows of. */
function checkEvacuation(state: State, e: Evacuation, say: Say): void {
  const running = e.guests.flatMap((g) => g.tries.filter((t) => t.outcome === null));
  const ids = running.map((t) => t.migration).sort();
  const theirs = runningMigrations(state).filter((m) => m.evacuation === e.id);
  if (
    theirs
      .map((m) => m.id)
      .sort()
      .join() !== ids.join()
  )
    say('does not know what is on its way');
  if (isOver(e) !== (e.endedAt !== null)) say(`is ${e.phase} and ended at ${e.endedAt}`);
  if (isOver(e) && ids.length > 0) say('is over while guests are on their way');
  if (e.guests.some((g) => g.tries.length > e.attempts)) say('has tried a guest more often than it may');
  if (isOver(e)) return;
  const others = runningEvacuations(state).filter((other) => other.host === e.host);
  if (others.length > 1) say('is not the only one of its host');
}

/** Rules name sets that are there. What a set of ports lists may be gone. */
function checkSets(state: State, say: Say): void {
  const check = (who: string, policy: PolicyPatch): void => {
    for (const name of setsNamedBy(policy))
      if (!state.sets.has(name)) say(`${who} names the unknown set ${name}`);
  };
  for (const sw of state.switches.values()) check(`switch ${sw.name}`, sw.policy);
  for (const group of state.groups.values()) check(`group ${group.name}`, group.policy);
  for (const port of state.ports.values()) if (!port.deleted) check(`port ${port.id}`, port.override);
}

function checkNics(state: State, say: Say): void {
  const owner = new Map<string, string>();
  for (const sw of state.switches.values()) {
    for (const [host, uplinks] of Object.entries(sw.members)) {
      for (const nic of Object.values(uplinks as Readonly<Record<string, string>>)) {
        const other = owner.get(`${host} ${nic}`);
        if (other !== undefined) say(`pNIC ${nic} of ${host} is in ${other} and in ${sw.name}`);
        owner.set(`${host} ${nic}`, sw.name);
      }
    }
  }
}

/** The indexes that evolve keeps must be those that building them from nothing gives. */
function checkIndexes(state: State, say: Say): void {
  const right = reindexed(state);
  const live = <K, V extends { isEmpty(): boolean }>(m: Iterable<[K, V]>): [K, V][] =>
    [...m].filter(([, v]) => !v.isEmpty());
  const sets = (m: Iterable<[string, Iterable<string> & { isEmpty(): boolean }]>): string =>
    JSON.stringify(
      live(m)
        .map(([k, v]) => [k, [...v].sort()])
        .sort(),
    );
  const plain = (m: Iterable<[string, string]>): string => JSON.stringify([...m].sort());
  for (const key of ['byIface', 'byMac', 'moving'] as const) {
    if (plain(state[key]) !== plain(right[key])) say(`index ${key} does not fit the ports`);
  }
  for (const key of ['byHost', 'byOwner', 'byGroup', 'free', 'bySetMember'] as const) {
    if (sets(state[key]) !== sets(right[key])) say(`index ${key} does not fit the ports`);
  }
  if (!state.deleted.equals(right.deleted)) say('index deleted does not fit the ports');
  if (state.deleted.size > DELETED_KEPT) say(`holds ${state.deleted.size} deleted ports`);
  const connected = [...state.ports.values()].filter((p) => p.connectee !== null);
  if (state.byIface.size !== connected.length) say('one connectee has two ports');
  const macs = connected.reduce((sum, port) => sum + macKeys(state, port).length, 0);
  if (state.byMac.size !== macs) say('one MAC has two ports in a segment');
}
