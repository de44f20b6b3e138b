import { randomUUID } from 'node:crypto';
import { err, ok, systemClock, unwrap, type Clock, type Problem, type Result } from '#kernel';
import { validateResource, type Command, type DomainEvent, type Resource, type State } from '#domain';
import {
  KEYS,
  type CommandRequest,
  type DocumentKey,
  type Report,
  type Signer,
  type Verifier,
} from '#contracts';
import { Follower, InMemoryLog, type CommitLog } from '#event-store';
import { type DocumentStore, type PutError, type StoreContent, type StoredDocument } from '#protocol';
import { derivedHandoverToken, generateSigningKey } from '#platform';
import { clusterRules } from '#runtime';
import { type LastCheckpoint } from './checkpoints.js';
import { Manager } from './manager.js';

// A switch-manager without a server: the real sequencer, projector and tracker on a log and documents in memory.

/** The last-value stream as the projector sees it. */
export class MemoryDocuments implements DocumentStore {
  readonly messages = new Map<DocumentKey, { bytes: Uint8Array; seq: number }>();
  lastSeq = 0;

  mark(): Promise<Result<StoredDocument | null>> {
    const found = this.messages.get(KEYS.mark);
    return Promise.resolve(ok(found === undefined ? null : { key: KEYS.mark, ...found }));
  }

  load(after = 0): Promise<Result<StoreContent>> {
    const all = [...this.messages].map(([key, { bytes, seq }]) => ({ key, bytes, seq }));
    const documents = all.filter(({ seq }) => seq > after).sort((a, b) => a.seq - b.seq);
    return Promise.resolve(ok({ lastSeq: this.lastSeq, documents }));
  }

  put(key: DocumentKey, bytes: Uint8Array, expected: number): Promise<Result<{ seq: number }, PutError>> {
    if (expected !== this.lastSeq) return Promise.resolve(err('wrong-last-sequence'));
    this.lastSeq += 1;
    this.messages.set(key, { bytes, seq: this.lastSeq });
    return Promise.resolve(ok({ seq: this.lastSeq }));
  }

  /** Nobody hears them here: what they say, the next mark says, too. */
  tell(): void {}

  remove(seq: number): Promise<Result<void>> {
    for (const [key, message] of this.messages) if (message.seq === seq) this.messages.delete(key);
    return Promise.resolve(ok(undefined));
  }

  body(key: DocumentKey): { lineage: string; revision: number; [field: string]: unknown } | undefined {
    const found = this.messages.get(key);
    if (found === undefined) return undefined;
    const { body } = JSON.parse(new TextDecoder().decode(found.bytes)) as { body: string };
    return JSON.parse(body) as never;
  }
}

const signer: Signer = {
  kid: 'spec',
  sign: (body) => Buffer.from(String(body.length)).toString('base64url'),
};
/** Both copies have it; what each derives from it is its own work. */
const managersKey = generateSigningKey().privateKey;
const verifier: Verifier = { verify: (body, sig, kid) => kid === 'spec' && sig === signer.sign(body) };

export interface Copy {
  readonly manager: Manager;
  readonly follower: Follower<State, DomainEvent>;
  /** Warnings and errors that it logged. */
  readonly said: string[];
  /** Takings up and layings down of the commands. */
  readonly active: boolean[];
  lease: boolean;
  /** How many of the next takings up and layings down fail, as on a connection that breaks. */
  failActive: number;
  elect(): void;
  stop(): Promise<void>;
}

/** One copy of the manager on a log and documents that others may share. */
export async function startCopy(
  instance: string,
  log: CommitLog = new InMemoryLog(),
  store: DocumentStore = new MemoryDocuments(),
  clock: Clock = systemClock,
  checkpoint?: LastCheckpoint,
): Promise<Copy> {
  const said: string[] = [];
  const active: boolean[] = [];
  const note = (fields: object, message: string): void => {
    const { problem: why, err: cause } = fields as { problem?: string; err?: unknown };
    said.push([message, why, cause === undefined ? undefined : String(cause)].filter(Boolean).join(': '));
  };
  const follower = new Follower<State, DomainEvent>({
    log,
    rules: clusterRules,
    clock,
    onFault: (cause) => note({ err: cause }, 'follower'),
  });
  await follower.start();
  const copy = {
    follower,
    said,
    active,
    lease: false,
    failActive: 0,
    elect: () => {
      copy.lease = true;
      copy.manager.elected();
    },
    stop: async () => {
      copy.lease = false;
      await copy.manager.close();
      await follower.close();
    },
  } as Copy & { manager: Manager };
  copy.manager = new Manager({
    log,
    store,
    follower,
    signer,
    verifier,
    handoverToken: unwrap(derivedHandoverToken(managersKey)),
    clock,
    ids: { next: () => randomUUID() },
    cluster: 'spec',
    instance,
    logger: { info: () => undefined, warn: note, error: note },
    ...(checkpoint === undefined ? {} : { checkpoint }),
    elected: () => copy.lease,
    afterAnswers: (work) => void setImmediate(work),
    setActive: (on) => {
      active.push(on);
      if (copy.failActive === 0) return Promise.resolve();
      copy.failActive -= 1;
      return Promise.reject(new Error('the connection is gone'));
    },
  });
  return copy;
}

export const request = (command: Command, commandId: string = randomUUID()): CommandRequest => ({
  v: 1,
  commandId,
  correlationId: commandId,
  actor: 'spec',
  command,
});

export function apply(...resources: object[]): Command {
  const valid = resources.map((r): Resource => {
    const checked = validateResource(r);
    if (!checked.ok) throw new Error(checked.error.message);
    return checked.value;
  });
  return { type: 'Apply', resources: valid };
}

export const hosts = (...names: string[]): object[] =>
  names.map((name) => ({ kind: 'Host', name, spec: {} }));
export const lan = (...members: string[]): object[] => [
  {
    kind: 'DistributedSwitch',
    name: 'lan',
    spec: {
      uplinks: ['uplink1'],
      members: Object.fromEntries(members.map((m) => [m, { uplink1: 'eth1' }])),
    },
  },
  { kind: 'PortGroup', name: 'web', spec: { switch: 'lan', ports: 2 } },
];

export const report = (host: string, lineage: string, realised: number, time = Date.now()): Report =>
  ({
    schema: 1,
    host,
    lineage,
    boot: 'boot-1',
    realised,
    received: realised,
    exceptions: [],
    time,
    version: '0.1.0',
    driver: 'simulated',
  }) as unknown as Report;

export const refusedWith = (answer: { ok: boolean; problem?: Problem }): string =>
  answer.problem === undefined ? 'accepted' : `${answer.problem.code}: ${answer.problem.message}`;
