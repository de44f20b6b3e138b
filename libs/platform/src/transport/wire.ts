import { detail, messageOf, problem, type Problem } from '#kernel';
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { isProblem } from '../problems/is-problem.js';

/**
 * The wire form of a command, over NATS request and reply.
 *
 * | part | request | reply |
 * | --- | --- | --- |
 * | body | JSON of the payload | JSON of the result, or of the Problem |
 * | `Portolan-Budget` | ms that the asker still waits, counted from receipt (clocks of two machines differ) | |
 * | `Portolan-Correlation` | correlation id | the same |
 * | `Portolan-Status` | | `ok` or `problem` |
 */
export const HEADER = {
  budget: 'Portolan-Budget',
  correlation: 'Portolan-Correlation',
  status: 'Portolan-Status',
} as const;

/** Default and greatest time that an asker may wait, ms. */
export const DEFAULT_DEADLINE_MS = 10_000;
export const MAX_DEADLINE_MS = 600_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value ?? null));

/** Reads a body; a fault says what was there and at which byte count. */
export function decodeJson(data: Uint8Array): { ok: true; value: unknown } | { ok: false; error: Problem } {
  if (data.length === 0) return { ok: true, value: null };
  try {
    return { ok: true, value: JSON.parse(decoder.decode(data)) as unknown };
  } catch (error) {
    const reason = messageOf(error);
    const d = detail('', `${data.length} bytes`, `is not JSON: ${reason}`, 'UTF-8 JSON');
    return { ok: false, error: problem('invalid', `the body is not JSON: ${reason}`, [d]) };
  }
}

export function requestHeaders(budgetMs: number, correlationId: string): MsgHdrs {
  const h = headers();
  h.set(HEADER.budget, String(budgetMs));
  h.set(HEADER.correlation, correlationId);
  return h;
}

export function replyHeaders(status: 'ok' | 'problem', correlationId: string | undefined): MsgHdrs {
  const h = headers();
  h.set(HEADER.status, status);
  if (correlationId !== undefined) h.set(HEADER.correlation, correlationId);
  return h;
}

/** The budget of a request in ms; absent means the default; malformed is a problem. */
export function readBudget(msg: Msg): { ok: true; value: number } | { ok: false; error: Problem } {
  const text = msg.headers?.get(HEADER.budget) ?? '';
  if (text === '') return { ok: true, value: DEFAULT_DEADLINE_MS };
  const ms = Number(text);
  if (!Number.isInteger(ms) || ms < 0 || ms > MAX_DEADLINE_MS) {
    const d = detail(HEADER.budget, text, 'is not a time budget', `whole ms from 0 to ${MAX_DEADLINE_MS}`);
    return { ok: false, error: problem('invalid', `${HEADER.budget} ${text} is not a time budget`, [d]) };
  }
  return { ok: true, value: ms };
}

/** What a reply says. A reply that is not of this form is a problem too. */
export function readReply(msg: Msg): { ok: true; value: unknown } | { ok: false; error: Problem } {
  const status = msg.headers?.get(HEADER.status) ?? '';
  const body = decodeJson(msg.data);
  if (status === 'ok') return body.ok ? body : { ok: false, error: garbled(body.error.message) };
  if (status === 'problem' && body.ok && isProblem(body.value)) return { ok: false, error: body.value };
  return { ok: false, error: garbled(`status ${JSON.stringify(status)}`) };
}

/** Someone answered, not in our words: whether the command was done is not known. */
const garbled = (reason: string): Problem =>
  problem('unknown', `the answer can't be understood: ${reason}`, [
    { field: HEADER.status, reason, expected: 'ok or problem, with a JSON body' },
  ]);
