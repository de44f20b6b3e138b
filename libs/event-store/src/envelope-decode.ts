import { err, invalid, ok, type Problem, type Result } from '#kernel';
import {
  CHUNK_SCHEMA,
  CHUNK_TYPE,
  COMMIT_SCHEMA,
  COMMIT_TYPE,
  type Envelope,
  type WireEvent,
} from './envelope.js';

type Json = Record<string, unknown>;
type Check = (value: unknown) => boolean;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HASH = /^[0-9a-f]{64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const SOURCE = /^portolan\/[a-z0-9-]{1,63}$/;

const text: Check = (v) => typeof v === 'string' && v.length > 0;
const uuid: Check = (v) => typeof v === 'string' && UUID.test(v);
const hash: Check = (v) => typeof v === 'string' && HASH.test(v);
const time: Check = (v) => typeof v === 'string' && TIME.test(v) && !Number.isNaN(Date.parse(v));
const source: Check = (v) => typeof v === 'string' && SOURCE.test(v);
const count: Check = (v) => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0;
const is =
  (right: string): Check =>
  (v) =>
    v === right;
const TEXT = 'a non-empty string';

/** For what is mostly the same from message to message: what was right last is so again, without looking closely. */
function remembering(check: Check): Check {
  let last: unknown = NaN;
  return (v) => {
    if (v === last) return true;
    if (!check(v)) return false;
    last = v;
    return true;
  };
}

const [sameSource, sameTime, sameLineage] = [source, time, uuid].map(remembering) as [Check, Check, Check];

interface Rule {
  readonly name: string;
  readonly check: Check;
  readonly expected: string;
  readonly optional?: true;
}

const RULES: readonly Rule[] = [
  { name: 'specversion', check: is('1.0'), expected: '1.0' },
  {
    name: 'type',
    check: (v) => v === COMMIT_TYPE || v === CHUNK_TYPE,
    expected: `${COMMIT_TYPE} or ${CHUNK_TYPE}`,
  },
  { name: 'id', check: text, expected: TEXT },
  { name: 'source', check: sameSource, expected: 'portolan/ and the name of the cluster' },
  { name: 'time', check: sameTime, expected: 'an RFC 3339 time' },
  { name: 'subject', check: text, expected: TEXT },
  { name: 'datacontenttype', check: is('application/json'), expected: 'application/json' },
  { name: 'lineage', check: sameLineage, expected: 'a uuid in lower case' },
  { name: 'revision', check: count, expected: 'an integer of 0 or more' },
  { name: 'prevhash', check: hash, expected: '64 hexadecimal digits in lower case' },
  { name: 'correlationid', check: text, expected: TEXT },
  { name: 'causationid', check: text, expected: TEXT, optional: true },
  { name: 'actor', check: text, expected: TEXT },
  { name: 'reason', check: text, expected: TEXT, optional: true },
  { name: 'commandid', check: text, expected: TEXT },
];
/** The rules' attributes, `dataschema` and `data`. */
const KNOWN = new Set([...RULES.map((r) => r.name), 'dataschema', 'data']);
const REQUIRED = KNOWN.size - RULES.filter((r) => r.optional).length;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the bytes of one message of the log. Every attribute is checked; the problem names the first bad one. Who
 * knows the hash of the message before it gives it as `previous`: then the right one is not looked at letter by letter.
 */
export function decodeEnvelope(bytes: Uint8Array, previous?: string): Result<Envelope> {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    return err(
      invalid('', undefined, `is not UTF-8 JSON: ${String(cause)}`, 'a CloudEvents 1.0 JSON object'),
    );
  }
  return checkEnvelope(json, previous);
}

/** The same for a value that was parsed already. */
export function checkEnvelope(json: unknown, previous?: string): Result<Envelope> {
  if (!isObject(json)) return err(invalid('', json, 'is not an object', 'a CloudEvents 1.0 JSON object'));
  const wrong = checkAttributes(json, previous) ?? checkData(json);
  return wrong === undefined ? ok(json as unknown as Envelope) : err(wrong);
}

/** All attributes of a commit at once, none beside them: true says that `checkAttributes` would find nothing. */
function isRightCommit(e: Json, previous: string | undefined): boolean {
  const { causationid, reason } = e;
  const more = (causationid === undefined ? 0 : 1) + (reason === undefined ? 0 : 1);
  return (
    e['specversion'] === '1.0' &&
    e['type'] === COMMIT_TYPE &&
    e['datacontenttype'] === 'application/json' &&
    e['dataschema'] === COMMIT_SCHEMA &&
    text(e['id']) &&
    text(e['subject']) &&
    text(e['correlationid']) &&
    text(e['actor']) &&
    text(e['commandid']) &&
    (causationid === undefined || text(causationid)) &&
    (reason === undefined || text(reason)) &&
    count(e['revision']) &&
    (e['prevhash'] === previous ? previous !== undefined : hash(e['prevhash'])) &&
    sameSource(e['source']) &&
    sameTime(e['time']) &&
    sameLineage(e['lineage']) &&
    e['data'] !== undefined &&
    Object.keys(e).length === REQUIRED + more
  );
}

function checkAttributes(json: Json, previous: string | undefined): Problem | undefined {
  if (isRightCommit(json, previous)) return undefined;
  for (const rule of RULES) {
    const value = json[rule.name];
    if (value === undefined && rule.optional) continue;
    if (value === undefined) return invalid(rule.name, value, 'is missing', rule.expected);
    if (!rule.check(value)) return invalid(rule.name, value, 'is not valid', rule.expected);
  }
  const schema = json['type'] === COMMIT_TYPE ? COMMIT_SCHEMA : CHUNK_SCHEMA;
  if (json['dataschema'] !== schema) return invalid('dataschema', json['dataschema'], 'is not known', schema);
  for (const name of Object.keys(json)) {
    if (!KNOWN.has(name)) return invalid(name, json[name], 'is not an attribute of this version');
  }
  return undefined;
}

function checkData(json: Json): Problem | undefined {
  const data = json['data'];
  if (!isObject(data)) return invalid('data', data, 'is not an object');
  if (json['type'] === CHUNK_TYPE) return checkChunk(data);
  if (json['revision'] === 0) return invalid('revision', 0, 'is not that of a commit', 'an integer from 1');
  if ('events' in data) return checkEvents(data['events'], 'data.events');
  if (!count(data['chunks']) || data['chunks'] === 0)
    return invalid('data.chunks', data['chunks'], 'is not a number of chunks', 'events, or a number from 1');
  return hash(data['hash'])
    ? undefined
    : invalid('data.hash', data['hash'], 'is not a hash', '64 hex digits');
}

function checkChunk(data: Json): Problem | undefined {
  if (!text(data['commit'])) return invalid('data.commit', data['commit'], 'is not the id of a commit', TEXT);
  if (!count(data['index']))
    return invalid('data.index', data['index'], 'is not an index', 'an integer from 0');
  return text(data['part']) ? undefined : invalid('data.part', data['part'], 'is not a part', TEXT);
}

/** Checks the list of events of a commit, wherever it was found. */
export function checkEvents(value: unknown, field: string): Problem | undefined {
  if (!Array.isArray(value) || value.length === 0)
    return invalid(field, value, 'is not a list of events', 'at least one event');
  for (let i = 0; i < value.length; i++) {
    const event = (value as unknown[])[i];
    if (!isObject(event)) return invalid(`${field}[${i}]`, event, 'is not an event', '{type, v, data}');
    const { type, v } = event as Partial<WireEvent>;
    if (!text(type)) return invalid(`${field}[${i}].type`, type, 'is not a name', TEXT);
    if (!count(v) || v === 0) return invalid(`${field}[${i}].v`, v, 'is not a version', 'an integer from 1');
    if (!('data' in event)) return invalid(`${field}[${i}].data`, undefined, 'is missing', 'a JSON value');
  }
  return undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
