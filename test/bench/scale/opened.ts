import { openDocumentBytes, type DocumentKey, type OpenDocument, type Verifier } from '#contracts';

const SHARED = 's.';
/** Versions of one document that are remembered: hosts of a busy process read several at a time. */
const VERSIONS = 8;

/** What came under a key that hosts share. */
interface Opened {
  readonly bytes: Uint8Array;
  readonly result: ReturnType<OpenDocument>;
}

/**
 * Every host of a process gets the same shared documents and marks, and verifies and reads them on its own machine in
 * production. Here a thousand of them share one core: each is read once a process, else marks would be most of what is
 * measured. What only one host gets is read as ever.
 */
export function sharedOpener(verifier: Verifier): OpenDocument {
  const read = new Map<DocumentKey, Opened[]>();
  return (bytes, key) => {
    if (!key.startsWith(SHARED)) return openDocumentBytes(bytes, verifier, key);
    const versions = read.get(key) ?? [];
    const known = versions.find((it) => Buffer.compare(it.bytes, bytes) === 0);
    if (known !== undefined) return known.result;
    const result = openDocumentBytes(bytes, verifier, key);
    // Not the message as it came, which is part of all that was read with it.
    read.set(key, [{ bytes: bytes.slice(), result }, ...versions.slice(0, VERSIONS - 1)]);
    return result;
  };
}
