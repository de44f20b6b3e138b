import {
  type DocumentKey,
  type GroupDocument,
  type HostDocument,
  type PortDocument,
  type StateDocument,
  type SwitchDocument,
} from '#contracts';
import { type Desired } from '#compiler';

/** The documents held, sorted by kind; null while the host's own document is not held. */
export function desiredOf(documents: ReadonlyMap<DocumentKey, StateDocument>): Desired | null {
  let host: HostDocument | null = null;
  const ports: PortDocument[] = [];
  const switches: SwitchDocument[] = [];
  const groups: GroupDocument[] = [];
  for (const document of documents.values()) {
    if (document.type === 'host') host = document;
    else if (document.type === 'port') ports.push(document);
    else if (document.type === 'switch') switches.push(document);
    else if (document.type === 'group') groups.push(document);
  }
  return host === null ? null : { host, ports, switches, groups };
}
