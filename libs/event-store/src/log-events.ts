import { invalid, type Lineage, type Problem, type Revision } from '#kernel';
import { type WireEvent } from './envelope.js';

/** Opens a history. First event of its commit, which has revision 1. */
export interface LineageOpened {
  readonly lineage: Lineage;
  readonly reason: string;
  /** Where the history before it ended; absent at the very first. */
  readonly previous?: { readonly lineage: Lineage; readonly revision: Revision };
}

/** Readers skip the message with this hash; its revision counts as used. */
export interface Repudiated {
  readonly revision: Revision;
  readonly hash: string;
  readonly reason: string;
}

/** The chunks staged for a commit that never came are dropped. */
export interface ChunksAbandoned {
  readonly commit: string;
}

/** From here on events may be written in forms that only readers of this level know. */
export interface SchemaLevelRaised {
  readonly level: number;
}

/** A sequencer begins to write. From here on nothing of an earlier one can be stored, so none answers any more. */
export interface LeadershipTaken {
  readonly by: string;
}

/** Events of the log itself; the rest belongs to the domain. */
export type LogEvent =
  | { readonly type: 'LineageOpened'; readonly data: LineageOpened }
  | { readonly type: 'Repudiated'; readonly data: Repudiated }
  | { readonly type: 'ChunksAbandoned'; readonly data: ChunksAbandoned }
  | { readonly type: 'LeadershipTaken'; readonly data: LeadershipTaken }
  | { readonly type: 'SchemaLevelRaised'; readonly data: SchemaLevelRaised };

const text = (v: unknown): boolean => typeof v === 'string' && v.length > 0;
const number = (v: unknown): boolean => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0;

const FIELDS: Readonly<Record<LogEvent['type'], Readonly<Record<string, (v: unknown) => boolean>>>> = {
  LineageOpened: {
    lineage: text,
    reason: text,
    previous: (v) => v === undefined || (isObject(v) && text(v['lineage']) && number(v['revision'])),
  },
  Repudiated: { revision: number, hash: text, reason: text },
  ChunksAbandoned: { commit: text },
  LeadershipTaken: { by: text },
  SchemaLevelRaised: { level: number },
};

export function isLogEvent(event: WireEvent): boolean {
  return Object.hasOwn(FIELDS, event.type);
}

/** What is wrong with an event of the log itself; version 1 is the only one there is. */
export function checkLogEvent(event: WireEvent): Problem | undefined {
  if (event.v !== 1) return invalid(`${event.type}.v`, event.v, 'is newer than the newest known', '1');
  if (!isObject(event.data)) return invalid(`${event.type}.data`, event.data, 'is not an object');
  for (const [name, check] of Object.entries(FIELDS[event.type as LogEvent['type']])) {
    if (!check(event.data[name])) return invalid(`${event.type}.${name}`, event.data[name], 'is not valid');
  }
  return undefined;
}

/** The event as it goes into the log. */
export function logEvent(event: LogEvent): WireEvent {
  return { type: event.type, v: 1, data: event.data };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
