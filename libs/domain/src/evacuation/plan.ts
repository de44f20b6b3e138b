import { type HostName } from '#kernel';
import { refusal, type Refusal } from '../decider/refusal.js';
import { admission } from '../migration/admission.js';
import { Traffic } from '../migration/limit.js';
import { hostsOfOwner, onSeveralHosts } from '../migration/observe.js';
import { type EvacuatedGuest, type Evacuation, type EvacuationRefusal, type State } from '../model/state.js';
import { guestsOn, isMoving, type Guest } from './guests.js';

export type EvacuationStep =
  | { readonly do: 'send'; readonly guest: Guest; readonly destination: HostName; readonly reason: string }
  | { readonly do: 'refuse'; readonly owner: string; readonly refusals: readonly EvacuationRefusal[] }
  | {
      readonly do: 'end';
      readonly to: 'aborting' | 'completed' | 'incomplete' | 'aborted';
      readonly reason?: string;
    };

/** Refusals of one guest that the log is told; more hosts would only say the same. */
const MOST_REFUSALS = 16;

/**
 * What an evacuation calls for next; null: to wait. Depends on the state alone, and on which hosts are not heard of.
 *
 * - *send*: the first guest by name that may go, as long as neither the host's limit nor `parallel` is reached.
 * - *refuse*: a guest that no destination admits, for as long as this evacuation lasts: what changes later is for another.
 * - *end*: nobody is left who waits or is on its way.
 */
export function nextStep(
  state: State,
  e: Evacuation,
  silent: ReadonlySet<HostName> = new Set(),
): EvacuationStep | null {
  const own = e.guests.filter((g) => g.tries.at(-1)?.outcome === null).length;
  if (e.phase === 'aborting') return own > 0 ? null : { do: 'end', to: 'aborted' };
  if (e.phase !== 'running') return null;
  if (state.hosts.get(e.host)?.maintenance !== true) {
    return { do: 'end', to: 'aborting', reason: `${e.host} is not in maintenance any more` };
  }
  const traffic = new Traffic(state);
  const free = Math.min(traffic.left('leaving', e.host), (e.parallel ?? Infinity) - own);
  const records = new Map(e.guests.map((g) => [g.owner, g]));
  let waiting = own > 0;
  let refused = false;
  for (const guest of guestsOn(state, e.host)) {
    const record = records.get(guest.owner) ?? { owner: guest.owner, tries: [], refusals: [] };
    if (record.refusals.length > 0) refused = true;
    else if (free <= 0 || isMoving(state, guest)) waiting = true;
    else {
      const step = ofGuest(state, e, guest, record, traffic, silent);
      if (step !== null) return step;
      waiting = true;
    }
  }
  return waiting ? null : { do: 'end', to: refused ? 'incomplete' : 'completed' };
}

function ofGuest(
  state: State,
  e: Evacuation,
  guest: Guest,
  record: EvacuatedGuest,
  traffic: Traffic,
  silent: ReadonlySet<HostName>,
): EvacuationStep | null {
  const { owner, ports } = guest;
  const against = inItself(state, e, guest, record);
  if (against !== null) return { do: 'refuse', owner, refusals: [toRecord(null, against)] };
  const refusals: EvacuationRefusal[] = [];
  let busy = false;
  for (const destination of candidates(state, e, record)) {
    const found = silent.has(destination)
      ? [refusal('silent', 'destination', destination, `${destination} is not heard of`)]
      : admission(state, ports, e.host, destination, false);
    if (found.length > 0) refusals.push(...found.map((r) => toRecord(destination, r)));
    else if (traffic.left('arriving', destination) === 0) busy = true;
    else return { do: 'send', guest, destination, reason: because(state, e, destination, busy) };
  }
  if (busy) return null;
  if (refusals.length === 0)
    refusals.push({ destination: null, field: 'to', reason: 'there is no other host' });
  return { do: 'refuse', owner, refusals: distinct(refusals).slice(0, MOST_REFUSALS) };
}

/** What speaks against its going anywhere. */
function inItself(
  state: State,
  e: Evacuation,
  { owner, ports }: Guest,
  { tries }: EvacuatedGuest,
): Refusal | null {
  const container = ports.find((p) => p.connectee?.kind === 'container');
  if (container !== undefined) {
    const reason = 'is a container, which no hypervisor moves: start it anew elsewhere';
    return refusal('kind', `ports.${container.id}.connectee.kind`, 'container', reason);
  }
  const hosts = hostsOfOwner(state, owner);
  if (hosts.length > 1) return onSeveralHosts(owner, hosts);
  if (tries.length < e.attempts) return null;
  const last = tries.at(-1);
  const how = `${last?.migration} to ${last?.destination} ${last?.outcome}${last?.reason ? `: ${last.reason}` : ''}`;
  return refusal('attempts', 'attempts', tries.length, `are used up; the last, ${how}`);
}

/** Those that it was not tried with come first, then those that hold the fewest ports: guests spread over the hosts. */
function candidates(state: State, e: Evacuation, { tries }: EvacuatedGuest): readonly HostName[] {
  const names = e.to.length > 0 ? e.to : [...state.hosts.keys()];
  const rank = (host: HostName): readonly [number, number] => [
    tries.filter((t) => t.destination === host).length,
    state.byHost.get(host)?.size ?? 0,
  ];
  return names
    .filter((host) => host !== e.host)
    .map((host) => ({ host, rank: rank(host) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || (a.host < b.host ? -1 : 1))
    .map(({ host }) => host);
}

function because(state: State, e: Evacuation, host: HostName, busy: boolean): string {
  const ports = state.byHost.get(host)?.size ?? 0;
  const among = busy ? 'that admit it and take another guest now' : 'that admit it';
  return `evacuation ${e.id}: ${host} holds the fewest ports (${ports}) of the hosts ${among}`;
}

const toRecord = (destination: HostName | null, { field, reason }: Refusal): EvacuationRefusal => ({
  destination,
  field,
  reason,
});

/** What is said alike of several hosts speaks of the guest: once, of none of them. */
function distinct(refusals: readonly EvacuationRefusal[]): readonly EvacuationRefusal[] {
  const found = new Map<string, EvacuationRefusal>();
  for (const r of refusals) {
    const key = `${r.field} ${r.reason}`;
    const same = found.get(key);
    found.set(
      key,
      same === undefined || same.destination === r.destination ? r : { ...r, destination: null },
    );
  }
  return [...found.values()];
}
