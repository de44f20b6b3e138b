import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf, systemClock, unwrap, type Clock } from '#kernel';
import { parseGuest, parseMemory } from '../simulation.js';
import { type GuestMemory, type GuestSpec } from './guest.js';

/** What the receiving hypervisor does with an arriving guest. */
export interface IncomingGuest {
  prepare(spec: GuestSpec): Promise<void>;
  begin(spec: GuestSpec, memory: GuestMemory): void;
  discard(spec: GuestSpec): void;
}

export type SendResult =
  | { readonly kind: 'moved' }
  /** The guest is certainly not running at the destination. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The state was handed over and no answer came. */
  | { readonly kind: 'unknown'; readonly reason: string };

const ANSWER_MS = 5_000;
/** While memory is copied nothing else is said, however long it takes. */
const COPYING_MS = 1_000;
/** How long the guest waits for the switch of its destination when all else is there. */
const HELD_MS = 30_000;

/**
 * Sends a guest over TCP, one JSON line a step: `hello` (spec) ← `ready`, `copying` once a second, then `state`
 * (memory, after the guest was stopped, which is not before `ready`) ← `running`, or `refused` of a guest that was not
 * begun. Up to `state` an abort or a broken connection leaves the guest here.
 */
export async function sendGuest(
  to: { readonly host: string; readonly port: number },
  spec: GuestSpec,
  copyMs: number,
  signal: AbortSignal,
  ready: Promise<void>,
  stop: () => GuestMemory,
): Promise<SendResult> {
  let socket: Socket;
  try {
    socket = await dial(to, signal);
  } catch (cause) {
    return { kind: 'failed', reason: `cannot reach the destination: ${messageOf(cause)}` };
  }
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  let handed = false;
  try {
    socket.write(`${JSON.stringify({ step: 'hello', spec })}\n`);
    await expectStep(lines, 'ready');
    const tell = (): void => void socket.write(`${JSON.stringify({ step: 'copying' })}\n`);
    await copyMemory(copyMs, ready, signal, tell);
    signal.throwIfAborted();
    const memory = stop();
    socket.write(`${JSON.stringify({ step: 'state', memory })}\n`);
    handed = true;
    await expectStep(lines, 'running');
    return { kind: 'moved' };
  } catch (cause) {
    return { kind: handed && !(cause instanceof Refused) ? 'unknown' : 'failed', reason: messageOf(cause) };
  } finally {
    socket.destroy();
  }
}

/** Serves one arriving guest on one connection. What goes wrong before `state` discards it, and is told. */
export async function receiveGuest(
  socket: Socket,
  guest: IncomingGuest,
  clock: Pick<Clock, 'after'> = systemClock,
): Promise<void> {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  let spec: GuestSpec | null = null;
  let begun = false;
  // A reset of the connection ends the reading below; it must not end the process.
  socket.on('error', () => undefined);
  try {
    const hello = await readStep(lines, clock);
    if (hello['step'] !== 'hello') throw new Error('expected hello');
    spec = unwrap(parseGuest(hello['spec'], 'spec'));
    await guest.prepare(spec);
    socket.write(`${JSON.stringify({ step: 'ready' })}\n`);
    let state = await readStep(lines, clock);
    while (state['step'] === 'copying') state = await readStep(lines, clock);
    if (state['step'] !== 'state') throw new Error('expected state');
    const memory = unwrap(parseMemory(state['memory']));
    begun = true;
    guest.begin(spec, memory);
    socket.end(`${JSON.stringify({ step: 'running' })}\n`);
  } catch (cause) {
    // What was begun may run: whether it does is for nobody to say here, and saying no would start it twice.
    if (begun) {
      socket.destroy();
      return;
    }
    if (spec !== null) guest.discard(spec);
    if (!socket.destroyed) socket.end(`${JSON.stringify({ step: 'refused', reason: messageOf(cause) })}\n`);
  }
}

function dial(to: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to.host, port: to.port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Until it is copied and the destination is ready; rejects when that is called off, or takes too long. */
async function copyMemory(
  ms: number,
  ready: Promise<void>,
  signal: AbortSignal,
  tell: () => void,
): Promise<void> {
  const telling = setInterval(tell, COPYING_MS);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const late = pause(ms + HELD_MS, undefined, { signal: either }).then(() => {
    throw new Error(`the switch of the destination was not ready within ${HELD_MS / 1000} s`);
  });
  try {
    await Promise.race([Promise.all([pause(ms, undefined, { signal: either }), ready]), late]);
  } finally {
    clearInterval(telling);
    over.abort();
  }
}

/** The other side said that it did not begin the guest, and will not. */
class Refused extends Error {}

async function expectStep(lines: AsyncIterator<string>, step: string): Promise<void> {
  const answer = await readStep(lines, systemClock);
  if (answer['step'] === 'refused') throw new Refused(String(answer['reason'] ?? 'refused'));
  if (answer['step'] !== step) throw new Error(`expected ${step}, got ${String(answer['step'])}`);
}

async function readStep(
  lines: AsyncIterator<string>,
  clock: Pick<Clock, 'after'>,
): Promise<Record<string, unknown>> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(ANSWER_MS, () => reject(new Error(`nothing was said within ${ANSWER_MS} ms`)));
  });
  try {
    const line = await Promise.race([lines.next(), late]);
    if (line.done === true) throw new Error('the connection ended');
    return JSON.parse(line.value) as Record<string, unknown>;
  } finally {
    cancel();
  }
}
