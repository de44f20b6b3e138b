import { err, invalid, ok, problem, type Result } from '#kernel';
import { KEYS } from './subjects.js';
import { type Document, type DocumentKey, type SignedDocument } from './documents.js';
import { shortDocument } from './wire/forms.js';
import { encodeBytes, encodeText, parseDocument, parseSignedDocument } from './wire/codecs.js';

/** Holds the private key of the cluster's managers. Ed25519; `sig` is base64url. */
export interface Signer {
  readonly kid: string;
  sign(body: string): string;
}

/** Knows the public keys by their ids. False for an unknown key and for garbage; never throws. */
export interface Verifier {
  verify(body: string, sig: string, kid: string): boolean;
}

/** A document as the bytes that travel: canonical JSON in the short form, signed. */
export function sealDocument(document: Document, signer: Signer): Uint8Array {
  const body = encodeText(shortDocument(document));
  const signed: SignedDocument = { body, sig: signer.sign(body), kid: signer.kid };
  return encodeBytes(signed);
}

/**
 * The document in a signed envelope that came under `expectedKey`: the signature must verify, the key in the body must
 * be that of the subject, and body and key must name the same object. Never throws.
 */
export function openDocument(
  signed: SignedDocument,
  verifier: Verifier,
  expectedKey: DocumentKey,
): Result<Document> {
  if (!verifier.verify(signed.body, signed.sig, signed.kid))
    return err(
      problem('forbidden', `document ${expectedKey}: the signature by key ${signed.kid} is not good`),
    );
  const parsed = parseDocument(signed.body);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  if (document.key !== expectedKey)
    return err(invalid('key', document.key, 'is not the key that the document came under', expectedKey));
  const own = keyOf(document);
  if (own !== null && own !== expectedKey)
    return err(invalid('key', document.key, 'does not fit what the document is about', own));
  // Only a mark may be of revision 0: it says that nothing was projected yet.
  if (document.revision < 1 && document.type !== 'mark')
    return err(invalid('revision', document.revision, 'is not that of a commit', '1 or greater'));
  return ok(document);
}

/** From bytes. */
export function openDocumentBytes(
  bytes: Uint8Array,
  verifier: Verifier,
  expectedKey: DocumentKey,
): Result<Document> {
  const signed = parseSignedDocument(bytes);
  return signed.ok ? openDocument(signed.value, verifier, expectedKey) : signed;
}

/** Reads what came under a key; all that is known of who signs is in it. Never throws. */
export type OpenDocument = (bytes: Uint8Array, expectedKey: DocumentKey) => Result<Document>;

/** Null of a tombstone: it may stand under any key of its kind. */
function keyOf(document: Document): DocumentKey | null {
  switch (document.type) {
    case 'host':
      return KEYS.host(document.host);
    case 'port':
      return KEYS.port(document.host, document.port);
    case 'switch':
      return KEYS.switch(document.switch);
    case 'group':
      return KEYS.group(document.group);
    case 'set':
      return KEYS.set(document.set);
    case 'mark':
      return KEYS.mark;
    case 'note':
      return KEYS.note(document.host);
    case 'tombstone':
      return null;
  }
}
