import { canonicalJson, type Lineage, type Revision } from '#kernel';

/** Hex sha256 of bytes. Passed in, so that this unit stays free of `node:`. */
export type Hash = (bytes: Uint8Array) => string;

/** One event as it stands in the log: `v` is the version of the shape of `data`, 1 or greater. */
export interface WireEvent {
  readonly type: string;
  readonly v: number;
  readonly data: unknown;
}

export const COMMIT_TYPE = 'portolan.commit.v1';
export const CHUNK_TYPE = 'portolan.chunk.v1';
export const COMMIT_SCHEMA = 'urn:portolan:schema:commit:v1';
export const CHUNK_SCHEMA = 'urn:portolan:schema:chunk:v1';
/** `prevhash` of the first message of a log. */
export const NO_HASH = '0'.repeat(64);

/** What every message of the log says of itself: CloudEvents 1.0 attributes and our extensions. */
export interface EnvelopeAttributes {
  readonly id: string;
  /** `portolan/<cluster>` */
  readonly source: string;
  /** RFC 3339, UTC, by the sequencer's clock. */
  readonly time: string;
  /** What the commit is about, for people and for filters; each event names its own object. */
  readonly subject: string;
  readonly lineage: Lineage;
  /** Of a commit: its own. Of a chunk: the revision that it was staged after. */
  readonly revision: Revision;
  /** Hash of the bytes of the message before this one in the log. */
  readonly prevhash: string;
  readonly correlationid: string;
  readonly causationid?: string;
  readonly actor: string;
  readonly reason?: string;
  readonly commandid: string;
}

/** A commit whose events were staged before it: the parts in order make up the canonical JSON of its events. */
export interface ChunkedData {
  readonly chunks: number;
  /** Hash of the whole text. */
  readonly hash: string;
}

export interface CommitEnvelope extends EnvelopeAttributes {
  readonly type: typeof COMMIT_TYPE;
  readonly data: { readonly events: readonly WireEvent[] } | ChunkedData;
}

export interface ChunkEnvelope extends EnvelopeAttributes {
  readonly type: typeof CHUNK_TYPE;
  /** `commit`: id of the commit that will take the parts; `index` counts from 0. */
  readonly data: { readonly commit: string; readonly index: number; readonly part: string };
}

export type Envelope = CommitEnvelope | ChunkEnvelope;

const utf8 = new TextEncoder();
/** Most messages are small: an allocation for each would cost more than its encoding. They share slabs instead. */
const SLAB = 256 * 1024;
const SMALL = 8 * 1024;
let slab = new Uint8Array(0);
let used = 0;

function encode(text: string): Uint8Array {
  if (text.length > SMALL) return utf8.encode(text);
  if (slab.length - used < text.length * 3) {
    slab = new Uint8Array(SLAB);
    used = 0;
  }
  const { written } = utf8.encodeInto(text, slab.subarray(used));
  used += written;
  return slab.subarray(used - written, used);
}

/** Canonical, and for texts that need no escape much cheaper than `JSON.stringify`. */
const quote: (text: string) => string = canonicalJson;

/**
 * The canonical JSON of an envelope as bytes: what is stored and hashed. `data` may be given as canonical text
 * already (then `envelope.data` is not looked at), so that it is rendered once.
 */
export function encodeEnvelope(e: Envelope, data: string = canonicalJson(e.data)): Uint8Array {
  const schema = e.type === COMMIT_TYPE ? COMMIT_SCHEMA : CHUNK_SCHEMA;
  return encode(
    `{"actor":${quote(e.actor)}` +
      (e.causationid === undefined ? '' : `,"causationid":${quote(e.causationid)}`) +
      `,"commandid":${quote(e.commandid)},"correlationid":${quote(e.correlationid)},"data":${data}` +
      `,"datacontenttype":"application/json","dataschema":"${schema}","id":${quote(e.id)}` +
      `,"lineage":${quote(e.lineage)},"prevhash":"${e.prevhash}"` +
      (e.reason === undefined ? '' : `,"reason":${quote(e.reason)}`) +
      `,"revision":${e.revision},"source":${quote(e.source)},"specversion":"1.0"` +
      `,"subject":${quote(e.subject)},"time":"${e.time}","type":"${e.type}"}`,
  );
}
