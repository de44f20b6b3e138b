import {
  type GroupName,
  type HostName,
  type PortId,
  type Revision,
  type SetName,
  type SwitchName,
} from '#kernel';
import {
  KEYS,
  type DocumentKey,
  type HostDocument,
  type PortDocument,
  type SetRef,
  type StateDocument,
} from '#contracts';
import { hostOfKey, setsOf, type DocumentChange, type Documents } from '../projection/documents.js';

/** Documents taken in at a stretch, some 10 ms of work. */
const AT_A_STRETCH = 5_000;

/** Which host is to hold what, followed from the document changes. */
export class Holdings {
  private readonly documents = new Map<HostName, HostDocument>();
  private readonly placed = new Map<HostName, Map<PortId, PortDocument>>();
  private readonly byPort = new Map<PortId, Set<HostName>>();
  private readonly byGroup = new Map<GroupName, Map<HostName, number>>();
  /** Groups and switches whose policy names sets, by key. */
  private readonly naming = new Map<DocumentKey, readonly SetRef[]>();
  /** Ports whose own policy does: by set and host. */
  private readonly portsNaming = new Map<SetName, Map<HostName, number>>();

  /** Of all that stands. Others have their turn after each stretch, by `pause`. */
  static async of(documents: Documents, pause: () => Promise<void>): Promise<Holdings> {
    const holdings = new Holdings();
    let done = 0;
    for (const [key, document] of documents) {
      if ((done += 1) % AT_A_STRETCH === 0) await pause();
      holdings.take({ key, document });
    }
    return holdings;
  }

  take({ key, document }: DocumentChange): void {
    const host = hostOfKey(key) as HostName | null;
    if (host === null) return this.shared(key, document);
    if (document.type === 'host') this.documents.set(host, document);
    else if (document.type === 'port') this.place(host, document.port, document);
    else if (key === `h.${host}.host`) this.documents.delete(host);
    else this.place(host, key.slice(key.lastIndexOf('.') + 1) as PortId, null);
  }

  get hosts(): ReadonlyMap<HostName, HostDocument> {
    return this.documents;
  }

  port(host: HostName, port: PortId): PortDocument | undefined {
    return this.placed.get(host)?.get(port);
  }

  withPort(port: PortId): Iterable<HostName> {
    return this.byPort.get(port) ?? [];
  }

  /** Hosts with a port of the group; not those that only preload it. */
  withGroup(group: GroupName): Iterable<HostName> {
    return this.byGroup.get(group)?.keys() ?? [];
  }

  *withSwitch(name: SwitchName): Iterable<HostName> {
    for (const [host, document] of this.documents)
      if (document.switches.some((s) => s.switch === name)) yield host;
  }

  /** Hosts with a port whose rules name the set: by itself, or by its group's or its switch's policy. */
  *withSet(name: SetName): Iterable<HostName> {
    yield* this.portsNaming.get(name)?.keys() ?? [];
    for (const [key, refs] of this.naming) {
      if (!refs.some((ref) => ref.name === name)) continue;
      const owner = key.slice(key.lastIndexOf('.') + 1);
      if (key === KEYS.group(owner)) yield* this.withGroup(owner as GroupName);
      else yield* this.withSwitch(owner as SwitchName);
    }
  }

  /** Hosts that carry a shared document out; not those that only preload it. */
  carrying(key: DocumentKey): Iterable<HostName> {
    const name = key.slice(key.lastIndexOf('.') + 1);
    if (key === KEYS.group(name)) return this.withGroup(name as GroupName);
    if (key === KEYS.switch(name)) return this.withSwitch(name as SwitchName);
    return this.withSet(name as SetName);
  }

  /** Sets that rules of a port may name, on whichever level. */
  setsOf(port: PortDocument): readonly SetName[] {
    const { group, switch: sw } = port;
    const levels = [setsOf(port), this.naming.get(KEYS.group(group)), this.naming.get(KEYS.switch(sw))];
    return levels.flatMap((refs) => (refs ?? []).map(({ name }) => name));
  }

  private shared(key: DocumentKey, document: StateDocument): void {
    const sets = setsOf(document);
    if (sets.length > 0) this.naming.set(key, sets);
    else this.naming.delete(key);
  }

  /** Revision of the document that an exception is about, as far as it names one. */
  since(host: HostName, port: PortId | null): Revision | undefined {
    return port === null ? this.documents.get(host)?.revision : this.port(host, port)?.revision;
  }

  private place(host: HostName, id: PortId, document: PortDocument | null): void {
    const ports = this.placed.get(host) ?? new Map<PortId, PortDocument>();
    const old = ports.get(id);
    if (old !== undefined) this.countAll(old, host, -1);
    if (document === null) ports.delete(id);
    else {
      ports.set(id, document);
      this.countAll(document, host, 1);
    }
    if (ports.size === 0) this.placed.delete(host);
    else this.placed.set(host, ports);
    const hosts = this.byPort.get(id) ?? new Set<HostName>();
    if (document === null) hosts.delete(host);
    else hosts.add(host);
    if (hosts.size === 0) this.byPort.delete(id);
    else this.byPort.set(id, hosts);
  }

  private countAll(port: PortDocument, host: HostName, by: number): void {
    count(this.byGroup, port.group, host, by);
    for (const { name } of setsOf(port)) count(this.portsNaming, name, host, by);
  }
}

function count<K>(counts: Map<K, Map<HostName, number>>, key: K, host: HostName, by: number): void {
  const hosts = counts.get(key) ?? new Map<HostName, number>();
  const sum = (hosts.get(host) ?? 0) + by;
  if (sum > 0) hosts.set(host, sum);
  else hosts.delete(host);
  if (hosts.size === 0) counts.delete(key);
  else counts.set(key, hosts);
}
