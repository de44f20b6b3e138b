import { err, invalid, isRecord, ok, type Epoch, type PortId, type Result } from '#kernel';
import { type RawCounters } from '#domain';
import { isTeamingMemory, type TeamingMemory } from '../teaming/standing.js';

/** `<port>@<epoch>`: one binding of a port here. */
export type BindingKey = `${PortId}@${number}`;

export const bindingKey = (port: PortId, epoch: Epoch): BindingKey => `${port}@${epoch}`;

export function parseBindingKey(key: string): { readonly port: PortId; readonly epoch: Epoch } {
  const at = key.lastIndexOf('@');
  return { port: key.slice(0, at) as PortId, epoch: Number(key.slice(at + 1)) as Epoch };
}

/** One incarnation of a binding's count meters, as the agent knows it. */
export interface Incarnation {
  readonly id: string;
  readonly last: RawCounters;
  /** What the meters had when it began; absent: nothing. */
  readonly open?: RawCounters;
  /** Age of the meters at the last reading; a younger one later means that they were made anew. */
  readonly lastDurationMs: number;
  /** ms since the epoch, of the last reading. */
  readonly lastAt: number;
  /** The final value has been put into the journal. */
  readonly closed: boolean;
}

/** What an agent must not forget over a restart of its own (the switch runs on meanwhile). */
export interface AgentMemory {
  readonly schema: 1;
  readonly boot: string;
  readonly slots: Readonly<Record<string, number>>;
  readonly incarnations: Readonly<Record<string, Incarnation>>;
  /** Standby bindings known to have been opened by the guest's first frame. */
  readonly activations: readonly string[];
  /** Active bindings known to have been turned away by the token. */
  readonly handedOver: readonly string[];
  /** Round of the cookies written by this run; one more at each start. */
  readonly round: number;
  /** Whether the centre was heard of in this boot. Absent: of a version that did not ask, and went on. */
  readonly heard?: boolean;
  /** Of uplinks. Absent: written before there was any. */
  readonly teaming?: TeamingMemory;
}

export function emptyMemory(boot: string): AgentMemory {
  const nothing = { slots: {}, incarnations: {}, activations: [], handedOver: [], round: 0 };
  return { schema: 1, boot, ...nothing, heard: false };
}

/** Checks what is on disk before it is believed. */
export function parseMemory(value: unknown): Result<AgentMemory> {
  const bad = (field: string, v: unknown, expected: string) =>
    err(invalid(`memory.${field}`, v, 'is not usable', expected));
  if (typeof value !== 'object' || value === null) return bad('', value, 'an object');
  const m = value as Partial<Record<keyof AgentMemory, unknown>>;
  if (m.schema !== 1) return bad('schema', m.schema, '1');
  if (typeof m.boot !== 'string') return bad('boot', m.boot, 'a string');
  if (typeof m.round !== 'number' || !Number.isInteger(m.round)) return bad('round', m.round, 'an integer');
  if (!isRecord(m.slots) || !Object.values(m.slots).every((s) => Number.isInteger(s) && (s as number) > 0)) {
    return bad('slots', m.slots, 'positive integers by binding');
  }
  if (!isRecord(m.incarnations) || !Object.values(m.incarnations).every(isIncarnation)) {
    return bad('incarnations', m.incarnations, 'incarnations by binding');
  }
  if (!isStrings(m.activations)) return bad('activations', m.activations, 'a list of bindings');
  if (!isStrings(m.handedOver)) return bad('handedOver', m.handedOver, 'a list of bindings');
  if (m.heard !== undefined && typeof m.heard !== 'boolean') return bad('heard', m.heard, 'true or false');
  if (m.teaming !== undefined && !isTeamingMemory(m.teaming))
    return bad('teaming', m.teaming, 'uplinks by switch, and pins');
  return ok(value as AgentMemory);
}

const isStrings = (v: unknown): v is string[] => Array.isArray(v) && v.every((s) => typeof s === 'string');

function isIncarnation(v: unknown): boolean {
  if (!isRecord(v)) return false;
  return (
    typeof v['id'] === 'string' &&
    typeof v['lastDurationMs'] === 'number' &&
    typeof v['lastAt'] === 'number' &&
    typeof v['closed'] === 'boolean' &&
    isCounters(v['last']) &&
    (v['open'] === undefined || isCounters(v['open']))
  );
}

const isCounters = (v: unknown): boolean =>
  isRecord(v) &&
  ['in', 'out'].every((d) => {
    const direction = v[d];
    return isRecord(direction) && ['unicast', 'multicast', 'broadcast'].every((k) => isCount(direction[k]));
  });

const isCount = (v: unknown): boolean =>
  isRecord(v) && typeof v['packets'] === 'number' && typeof v['bytes'] === 'number';
