import { type GroupName, type HostName, type PortId, type Revision, type SwitchName } from '#kernel';
import { type HostDocument, type PortDocument } from '#contracts';
import { hostOfKey, type DocumentChange } from '../projection/documents.js';

/** Which host is to hold what, followed from the document changes. */
export class Holdings {
  private readonly documents = new Map<HostName, HostDocument>();
  private readonly placed = new Map<HostName, Map<PortId, PortDocument>>();
  private readonly byPort = new Map<PortId, Set<HostName>>();
  private readonly byGroup = new Map<GroupName, Map<HostName, number>>();

  take({ key, document }: DocumentChange): void {
    const host = hostOfKey(key) as HostName | null;
    if (host === null) return;
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

  /** Revision of the document that an exception is about, as far as it names one. */
  since(host: HostName, port: PortId | null): Revision | undefined {
    return port === null ? this.documents.get(host)?.revision : this.port(host, port)?.revision;
  }

  private place(host: HostName, id: PortId, document: PortDocument | null): void {
    const ports = this.placed.get(host) ?? new Map<PortId, PortDocument>();
    const old = ports.get(id);
    if (old !== undefined) this.count(old.group, host, -1);
    if (document === null) ports.delete(id);
    else {
      ports.set(id, document);
      this.count(document.group, host, 1);
    }
    if (ports.size === 0) this.placed.delete(host);
    else this.placed.set(host, ports);
    const hosts = this.byPort.get(id) ?? new Set<HostName>();
    if (document === null) hosts.delete(host);
    else hosts.add(host);
    if (hosts.size === 0) this.byPort.delete(id);
    else this.byPort.set(id, hosts);
  }

  private count(group: GroupName, host: HostName, by: number): void {
    const hosts = this.byGroup.get(group) ?? new Map<HostName, number>();
    const count = (hosts.get(host) ?? 0) + by;
    if (count > 0) hosts.set(host, count);
    else hosts.delete(host);
    if (hosts.size === 0) this.byGroup.delete(group);
    else this.byGroup.set(group, hosts);
  }
}
