import {
  canonicalJson,
  err,
  invalid,
  ok,
  type HostName,
  type Lineage,
  type Result,
  type Revision,
} from '#kernel';
import { isStateDocument, parseDocument, type DocumentKey, type StateDocument } from '#contracts';
import { type Snapshot } from './snapshot.js';

/** Hex digest of a text. Passed in, so that this unit stays free of `node:`. */
export type TextDigest = (text: string) => string;

interface DiskForm {
  readonly v: 1;
  readonly host: string;
  readonly lineage: string | null;
  readonly received: number;
  readonly documents: readonly unknown[];
}

/** The agent's copy for starting without the centre: JSON text that bears its digest. */
export function toDisk(snapshot: Snapshot, digest: TextDigest): string {
  const { host, lineage, received, documents } = snapshot;
  // With every change, and only its own digest has to fit: the order of its keys is nobody’s concern.
  const content = JSON.stringify({ v: 1, host, lineage, received, documents: [...documents.values()] });
  return `${digest(content)}\n${content}\n`;
}

/** Refused as a whole when anything is wrong with it: half a policy is worse than none. Never throws. */
export function fromDisk(text: string, host: HostName, digest: TextDigest): Result<Snapshot> {
  const end = text.indexOf('\n');
  const content = text.slice(end + 1).trimEnd();
  if (end < 0 || digest(content) !== text.slice(0, end))
    return err(invalid('digest', text.slice(0, Math.max(end, 0)), 'does not fit the content'));
  const form = readForm(content);
  if (form === null) return err(invalid('', content.slice(0, 80), 'is not a copy of documents'));
  if (form.v !== 1) return err(invalid('v', form.v, 'is not a known version', '1'));
  if (form.host !== host) return err(invalid('host', form.host, "is another host's copy", host));
  const documents = new Map<DocumentKey, StateDocument>();
  for (const it of form.documents) {
    const parsed = parseDocument(canonicalJson(it));
    if (!parsed.ok) return parsed;
    if (isStateDocument(parsed.value)) documents.set(parsed.value.key, parsed.value);
  }
  const lineage = form.lineage as Lineage | null;
  return ok({ host, lineage, received: form.received as Revision, documents, faults: [], stale: true });
}

function readForm(content: string): DiskForm | null {
  try {
    const form = JSON.parse(content) as DiskForm | null;
    return Array.isArray(form?.documents) && Number.isSafeInteger(form.received) ? form : null;
  } catch {
    // Not JSON: the caller says so.
    return null;
  }
}
