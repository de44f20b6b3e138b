import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { unwrap } from '#kernel';
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

/**
 * Sends a guest over TCP, one JSON line a step: `hello` (spec) ← `ready`, then `state` (memory, after the guest was
 * stopped) ← `running`. Up to `state` an abort or a broken connection leaves the guest here.
 */
export async function sendGuest(
  to: { readonly host: string; readonly port: number },
  spec: GuestSpec,
  copyMs: number,
  signal: AbortSignal,
  stop: () => GuestMemory,
): Promise<SendResult> {
  let socket: Socket;
  try {
    socket = await dial(to, signal);
  } catch (cause) {
    return { kind: 'failed', reason: `cannot reach the destination: ${message(cause)}` };
  }
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  let handed = false;
  try {
    socket.write(`${JSON.stringify({ step: 'hello', spec })}\n`);
    await expectStep(lines, 'ready');
    await copyMemory(copyMs, signal);
    signal.throwIfAborted();
    const memory = stop();
    socket.write(`${JSON.stringify({ step: 'state', memory })}\n`);
    handed = true;
    await expectStep(lines, 'running');
    return { kind: 'moved' };
  } catch (cause) {
    return { kind: handed ? 'unknown' : 'failed', reason: message(cause) };
  } finally {
    socket.destroy();
  }
}

/** Serves one arriving guest on one connection. What goes wrong before `state` discards it. */
export async function receiveGuest(socket: Socket, guest: IncomingGuest): Promise<void> {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  let spec: GuestSpec | null = null;
  let running = false;
  // A reset of the connection ends the reading below; it must not end the process.
  socket.on('error', () => undefined);
  try {
    const hello = await readStep(lines);
    if (hello['step'] !== 'hello') throw new Error('expected hello');
    spec = unwrap(parseGuest(hello['spec'], 'spec'));
    await guest.prepare(spec);
    socket.write(`${JSON.stringify({ step: 'ready' })}\n`);
    const state = await readStep(lines);
    if (state['step'] !== 'state') throw new Error('expected state');
    guest.begin(spec, unwrap(parseMemory(state['memory'])));
    running = true;
    socket.end(`${JSON.stringify({ step: 'running' })}\n`);
  } catch (cause) {
    if (spec !== null && !running) guest.discard(spec);
    if (!socket.destroyed) socket.end(`${JSON.stringify({ step: 'refused', reason: message(cause) })}\n`);
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

const copyMemory = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

async function expectStep(lines: AsyncIterator<string>, step: string): Promise<void> {
  const answer = await readStep(lines);
  if (answer['step'] !== step)
    throw new Error(String(answer['reason'] ?? `expected ${step}, got ${String(answer['step'])}`));
}

async function readStep(lines: AsyncIterator<string>): Promise<Record<string, unknown>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  try {
    const line = await Promise.race([lines.next(), late]);
    if (line.done === true) throw new Error('the connection ended');
    return JSON.parse(line.value) as Record<string, unknown>;
  } finally {
    clearTimeout(timer);
  }
}

const message = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
