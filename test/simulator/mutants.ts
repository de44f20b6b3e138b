import { KEYS, openDocumentBytes, sealDocument, type DocumentKey, type MarkDocument } from '#contracts';
import { type Fact, type RawCounters } from '#domain';
import { type Received, type Snapshot } from '#protocol';
import { signer, verifier } from './services/signing.js';
import { type Bugs } from './story/world.js';

/**
 * Faults planted at the edges of the production code, each of a kind that once was, or might be. The simulator must
 * find every one of them, by the seed named in its spec: else it proves nothing.
 */
export const MUTANTS: Readonly<Record<string, () => Bugs>> = {
  /** An agent takes any mark for the one after the last: documents that were lost are not missed. */
  'forgotten mark gap': () => {
    const last = new Map<string, MarkDocument>();
    return { alter: (key, received, host) => chained(last, host, key, received) };
  },
  /** The final value of a segment counts what came in twice. */
  'double count': () => ({
    fact: (fact) => [fact.type === 'SegmentClosed' ? { ...fact, raw: doubled(fact.raw) } : fact],
  }),
  /** A standby is opened as soon as it is prepared. */
  'early activation': () => ({ view: opened }),
  /** A final value is sometimes never told. */
  'lost close': () => {
    let closes = 0;
    return { fact: (fact: Fact) => (fact.type === 'SegmentClosed' && (closes += 1) % 3 === 0 ? [] : [fact]) };
  },
  /** The server takes an append whatever stands last. */
  'stale leader appends': () => ({ carelessLog: true }),
  /** Realised is reported when the flows stand, before frames follow them. */
  'report before effective': () => ({ skipsEffective: true }),
  /** A command that is asked again is another command. */
  'command done twice': () => ({ newIdEachTry: true }),
  /** Batches of facts may overtake each other, and say nothing of what stands before them. */
  'facts overtake': () => ({ factsOvertake: true }),
};

function chained(
  last: Map<string, MarkDocument>,
  host: string,
  key: DocumentKey,
  received: Received,
): Received {
  if (key !== KEYS.mark) return received;
  const mark = openDocumentBytes(received.bytes, verifier, key);
  if (!mark.ok || mark.value.type !== 'mark') return received;
  const before = last.get(host);
  last.set(host, mark.value);
  if (before === undefined || before.n >= mark.value.n) return received;
  const altered = { ...mark.value, prev: before.n, prevLife: before.life };
  return { ...received, bytes: sealDocument(altered, signer) };
}

function doubled(raw: RawCounters): RawCounters {
  const { packets, bytes } = raw.in.unicast;
  return { ...raw, in: { ...raw.in, unicast: { packets: packets * 2, bytes: bytes * 2 } } };
}

function opened(view: Snapshot): Snapshot {
  const documents = new Map(view.documents);
  for (const [key, document] of documents)
    if (document.type === 'port' && document.role === 'standby')
      documents.set(key, { ...document, role: 'active', handover: null });
  return { ...view, documents };
}
