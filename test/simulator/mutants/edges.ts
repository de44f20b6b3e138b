import {
  KEYS,
  openDocumentBytes,
  sealDocument,
  type DocumentKey,
  type MarkDocument,
  type NoteDocument,
  type PortDocument,
} from '#contracts';
import { unwrap } from '#kernel';
import { type RawCounters } from '#domain';
import { type Received, type Snapshot } from '#protocol';
import { signer, verifier } from '../services/signing.js';
import { type Bugs } from '../story/world.js';

export function markGaps(): Bugs {
  const last = new Map<string, MarkDocument>();
  return { drop: 0.3, alter: (key, received, host) => chained(last, host, key, received) };
}

/** A mark goes on from those that were missed, and says nothing of what was written meanwhile. */
export function recentForgotten(): Bugs {
  const forget = (mark: MarkDocument): MarkDocument =>
    mark.recent === undefined
      ? mark
      : { ...mark, recent: { ...mark.recent, after: 0, shared: [], hosts: [] } };
  return { drop: 0.3, alter: (key, received) => altered(key, received, forget) };
}

/** A note says that nothing was written since the mark. */
export function noteForgets(): Bugs {
  const forget = (note: NoteDocument): NoteDocument => ({ ...note, own: [0, 0], shared: [] });
  return {
    drop: 0.3,
    alter: (key, received) => {
      if (!key.endsWith('.note')) return received;
      const note = unwrap(openDocumentBytes(received.bytes, verifier, key));
      return note.type === 'note' ? { ...received, bytes: sealDocument(forget(note), signer) } : received;
    },
  };
}

function altered(
  key: DocumentKey,
  received: Received,
  change: (mark: MarkDocument) => MarkDocument,
): Received {
  if (key !== KEYS.mark) return received;
  const mark = openDocumentBytes(received.bytes, verifier, key);
  if (!mark.ok || mark.value.type !== 'mark') return received;
  const changed = change(mark.value);
  return changed === mark.value ? received : { ...received, bytes: sealDocument(changed, signer) };
}

function chained(
  last: Map<string, MarkDocument>,
  host: string,
  key: DocumentKey,
  received: Received,
): Received {
  return altered(key, received, (mark) => {
    const before = last.get(host);
    last.set(host, mark);
    return before === undefined || before.n >= mark.n
      ? mark
      : { ...mark, prev: before.n, prevLife: before.life };
  });
}

export function doubled(raw: RawCounters): RawCounters {
  const { packets, bytes } = raw.in.unicast;
  return { ...raw, in: { ...raw.in, unicast: { packets: packets * 2, bytes: bytes * 2 } } };
}

export const opened = (view: Snapshot): Snapshot =>
  ports(view, (port) => (port.role === 'standby' ? { ...port, role: 'active', handover: null } : port));

/** Any broadcast that bears the port's MAC is taken for the token. */
export const anyBroadcast = (view: Snapshot): Snapshot =>
  ports(view, (port) =>
    port.handover === null
      ? port
      : { ...port, handover: { ...port.handover, token: 'ff:ff:ff:ff:ff:ff' as never } },
  );

/** The source sets no trap. */
export const unarmed = (view: Snapshot): Snapshot =>
  ports(view, (port) => (port.role === 'active' ? { ...port, handover: null } : port));

function ports(view: Snapshot, change: (port: PortDocument) => PortDocument): Snapshot {
  const documents = new Map(view.documents);
  for (const [key, document] of documents) if (document.type === 'port') documents.set(key, change(document));
  return { ...view, documents };
}
