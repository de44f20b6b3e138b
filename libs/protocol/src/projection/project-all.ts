import { type HostName, type MigrationId, type PortId } from '#kernel';
import { KEYS, type DocumentKey, type HandoverToken, type StateDocument } from '#contracts';
import { type State } from '#domain';
import { setsOf, type Documents } from './documents.js';
import { hostDocument } from './of-host.js';
import { placements, portDocuments } from './of-port.js';
import { groupDocument, setDocument, switchDocument } from './of-shared.js';
import { stampOf } from './stamp.js';

/** Every document of a state, all at the state's revision: the oracle for `project`, and where a projector begins. */
export function projectAll(state: State, handoverToken: HandoverToken): Map<DocumentKey, StateDocument> {
  const documents = new Map<DocumentKey, StateDocument>();
  const stretches = projecting(state, documents, handoverToken);
  while (stretches.next().done !== true);
  return documents;
}

/**
 * The same, and others have their turn after each stretch: with thousands of ports it takes a second or more, and a
 * leader that does nothing else meanwhile may lose its lease over it, and the next one too.
 */
export async function projectAllInTurns(
  state: State,
  handoverToken: HandoverToken,
  pause: () => Promise<void>,
): Promise<Map<DocumentKey, StateDocument>> {
  const documents = new Map<DocumentKey, StateDocument>();
  for (const _ of projecting(state, documents, handoverToken)) await pause();
  return documents;
}

/** Ports or hosts at a stretch, some 10 ms of work. */
const AT_A_STRETCH = 500;

function* projecting(
  state: State,
  documents: Map<DocumentKey, StateDocument>,
  handoverToken: HandoverToken,
): Generator<void> {
  const stamp = stampOf(state);
  if (stamp === null) return;
  let done = 0;
  const put = (document: StateDocument): void => void documents.set(document.key, document);
  const revisionOf = () => stamp.revision;
  for (const it of state.sets.values()) put(setDocument(state, it, stamp));
  for (const it of state.switches.values()) put(switchDocument(it, stamp, revisionOf));
  for (const it of state.groups.values()) put(groupDocument(it, stamp, revisionOf));
  const ports = new Map<HostName, PortId[]>();
  for (const port of state.ports.values()) {
    for (const document of portDocuments(state, port, stamp, stamp.revision, revisionOf, handoverToken))
      put(document);
    for (const host of placements(port).keys()) add(ports, host, port.id);
    if ((done += 1) % AT_A_STRETCH === 0) yield;
  }
  const migrations = new Map<HostName, MigrationId[]>();
  for (const { id, source, destination } of state.migrations.values())
    for (const host of new Set([source, destination])) add(migrations, host, id);
  for (const host of state.hosts.values()) {
    put(hostDocument(state, host, stamp, ports.get(host.name) ?? [], migrations.get(host.name) ?? []));
    if ((done += 1) % AT_A_STRETCH === 0) yield;
  }
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Keys that a host reads: its own, the shared ones that it needs, and the sets that these name among `documents`. */
export function keysOfHost(host: HostName, documents: Documents): DocumentKey[] {
  const own = documents.get(KEYS.host(host));
  if (own?.type !== 'host') return [];
  const keys = [
    own.key,
    ...own.ports.map((port) => KEYS.port(host, port)),
    ...own.groups.map(KEYS.group),
    ...own.switches.map((s) => KEYS.switch(s.switch)),
  ];
  const sets = keys.flatMap((key) => setsOf(documents.get(key)).map(({ name }) => KEYS.set(name)));
  return [...keys, ...new Set(sets)];
}
