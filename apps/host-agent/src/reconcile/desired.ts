import { equalJson, sameItems } from '#kernel';
import {
  type DocumentKey,
  type GroupDocument,
  type HostDocument,
  type PortDocument,
  type SetDocument,
  type StateDocument,
  type SwitchDocument,
} from '#contracts';
import { type Desired } from '#compiler';
import { type Snapshot } from '#protocol';

/** The documents held, sorted by kind; null while the host's own document is not held. */
export function desiredOf(documents: ReadonlyMap<DocumentKey, StateDocument>): Desired | null {
  let host: HostDocument | null = null;
  const ports: PortDocument[] = [];
  const switches: SwitchDocument[] = [];
  const groups: GroupDocument[] = [];
  const sets: SetDocument[] = [];
  for (const document of documents.values()) {
    if (document.type === 'host') host = document;
    else if (document.type === 'port') ports.push(document);
    else if (document.type === 'switch') switches.push(document);
    else if (document.type === 'group') groups.push(document);
    else if (document.type === 'set') sets.push(document);
  }
  return host === null ? null : { host, ports, switches, groups, sets };
}

/**
 * What is left to do on a host that was known and is no more: to take out what it carries. One that was never known
 * is left as it is (its name may be mistyped), and so is one whose document can't be read, or that a restored log of
 * another lineage does not know: its guests run.
 */
export function released(last: Desired | null, view: Pick<Snapshot, 'faults' | 'lineage'>): Desired | null {
  if (last === null || view.faults.length > 0 || view.lineage !== last.host.lineage) return null;
  const none = { switches: [], ports: [], groups: [], migrations: [], arrivals: [] };
  const host = { ...last.host, ...none, acceptedFactSeq: null };
  return { host, ports: [], switches: [], groups: [] };
}

/**
 * Whether both ask the same of the switch. A host's document also says which of its facts were taken in and what its
 * hypervisor is to do; documents of the others that are the same are the same objects.
 */
export function sameWork(a: Desired | null, b: Desired | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return (
    sameItems(a.ports, b.ports) &&
    sameItems(a.switches, b.switches) &&
    sameItems(a.groups, b.groups) &&
    sameItems(a.sets ?? [], b.sets ?? []) &&
    (a.host === b.host || equalJson(ofSwitch(a.host), ofSwitch(b.host)))
  );
}

const ofSwitch = (host: HostDocument): object => ({
  ...host,
  revision: 0,
  acceptedFactSeq: null,
  migrations: [],
  arrivals: [],
});
