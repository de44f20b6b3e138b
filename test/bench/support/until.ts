import { once } from 'node:events';
import { connect } from 'node:net';
import { type MigrationView, type WriteResult } from '#contracts/http';

/** The client's, between two attempts. */
const PAUSE_MS = 20;
const LOOK_MS = 2;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A client that tries until its change, always under the same key, is realised on all `hosts` that it concerns.
 * Resolves with ms; `accepted` is told when it stands in the log.
 */
export async function untilRealised(
  api: string,
  key: string,
  body: string,
  hosts: number,
  limitMs = 60_000,
): Promise<number> {
  const began = performance.now();
  for (;;) {
    const answer = await attempt(api, key, body, 20);
    if (answer.realised?.realised === true) {
      // A leader that does not know what an earlier one changed waits for all of them.
      if (answer.realised.of < hosts) throw new Error(`not all hosts: ${brief(answer)}`);
      return performance.now() - began;
    }
    if (performance.now() - began > limitMs) throw new Error(`no change: ${brief(answer)}`);
    await pause(PAUSE_MS);
  }
}

/** The same, until the change stands in the log. */
export async function untilAccepted(
  api: string,
  key: string,
  body: string,
  limitMs = 60_000,
): Promise<number> {
  const began = performance.now();
  for (;;) {
    const answer = await attempt(api, key, body, 0);
    if (answer.revision !== undefined) return performance.now() - began;
    if (performance.now() - began > limitMs) throw new Error(`not accepted: ${brief(answer)}`);
    await pause(PAUSE_MS);
  }
}

/** A client that asks for a migration until it is begun: its id, and since when. Services may be away meanwhile. */
export async function untilBegun(
  api: string,
  key: string,
  move: Pick<MigrationView, 'owner' | 'destination'>,
  limitMs = 60_000,
): Promise<{ readonly id: string; readonly revision: number }> {
  const end = performance.now() + limitMs;
  let said: unknown;
  for (;;) {
    const asking = asked(`${api}/v1/migrations`, 'application/json', key, JSON.stringify(move));
    const answer = await asking.catch((cause: unknown) => void (said = cause));
    const id = answer?.changed?.find((c) => c.kind === 'Migration')?.name;
    if (id !== undefined) return { id, revision: answer?.revision ?? 0 };
    if (performance.now() > end) throw new Error(`no migration: ${brief(answer ?? { said: String(said) })}`);
    await pause(PAUSE_MS);
  }
}

function attempt(api: string, key: string, body: string, waitSeconds: number): Promise<Partial<WriteResult>> {
  const url = `${api}/v1/apply${waitSeconds === 0 ? '' : `?wait=${waitSeconds}`}`;
  return asked(url, 'application/yaml', key, body);
}

/** Empty of what a refusal lacks. */
async function asked(url: string, type: string, key: string, body: string): Promise<Partial<WriteResult>> {
  const headers = { 'content-type': type, 'idempotency-key': key };
  const response = await fetch(url, { method: 'POST', headers, body });
  const answer = (await response.json()) as Partial<WriteResult>;
  return response.ok
    ? answer
    : ({ ...answer, revision: undefined, realised: undefined, changed: undefined } as never);
}

const brief = (answer: object): string => JSON.stringify(answer).slice(0, 500);

/** Resolves when something on this machine listens there. */
export async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      // Refused: not yet.
      await pause(LOOK_MS);
    } finally {
      socket.destroy();
    }
  }
}
