import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  JetStreamApiError,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { detail, equalJson, err, ok, problem, type Problem, type Result } from '#kernel';

/** A stream as data. Durations are nanoseconds, as the server has them; `replicas` comes from the deployment. */
export type StreamSpec = Pick<StreamConfig, 'name' | 'subjects'> & Partial<StreamConfig>;

const MINUTE_MS = 60_000;
const COMMON = { storage: StorageType.File, retention: RetentionPolicy.Limits } as const;

/**
 * Everything that happened. Nothing is taken out of it but what was archived, from its beginning: by who may purge it
 * (see the accounts), as a stream that denies it to all could never let go.
 */
export const LOG_STREAM: StreamSpec = {
  ...COMMON,
  name: 'LOG',
  subjects: ['log.>'],
  discard: DiscardPolicy.New,
  deny_delete: true,
};

/** Desired documents: the last value of each key, published again for those who listen. */
export const DOCS_STREAM: StreamSpec = {
  ...COMMON,
  name: 'DOC',
  subjects: ['doc.>'],
  max_msgs_per_subject: 1,
  allow_direct: true,
  republish: { src: 'doc.>', dest: 'live.doc.>' },
};

/**
 * What agents saw, until the sequencer has taken it in. A host has room for so much, at most: who floods its subject
 * loses its own, which an honest agent keeps until the log has it, and tells again.
 */
export const FACTS_STREAM: StreamSpec = {
  ...COMMON,
  name: 'FACT',
  subjects: ['fact.>'],
  discard: DiscardPolicy.Old,
  max_age: nanos(24 * 60 * MINUTE_MS),
  max_msgs_per_subject: 5_000,
  max_msg_size: 500_000,
  duplicate_window: nanos(2 * MINUTE_MS),
};

/** Last ledger checkpoint of each host. */
export const CKPT_STREAM: StreamSpec = {
  ...COMMON,
  name: 'CKPT',
  subjects: ['ckpt.>'],
  max_msgs_per_subject: 1,
  allow_direct: true,
};

/** Settings that a server does not change in a stream that exists, or must not for ours. */
const FIXED: ReadonlySet<string> = new Set(['storage', 'retention', 'deny_delete', 'republish']);

/**
 * Creates the stream, or brings an existing one to the settings. Refuses one that differs in what can't be changed,
 * and more than one replica on servers that lose acknowledged messages then.
 */
export async function ensureStream(
  nc: NatsConnection,
  spec: StreamSpec,
  replicas = 1,
): Promise<Result<{ readonly created: boolean }>> {
  const refusal = refuseReplicas(nc.info?.version ?? '0.0.0', replicas);
  if (refusal !== undefined) return err(refusal);
  const wanted = { ...spec, num_replicas: replicas };
  try {
    const jsm = await jetstreamManager(nc);
    const existing = await jsm.streams.info(spec.name).catch((cause: unknown) => {
      if (cause instanceof JetStreamApiError && cause.code === STREAM_NOT_FOUND) return undefined;
      throw cause;
    });
    if (existing === undefined) {
      await jsm.streams.add(wanted);
      return ok({ created: true });
    }
    const differing = differences(wanted, existing.config);
    const fixed = differing.filter((name) => FIXED.has(name));
    if (fixed.length > 0) return err(cannotChange(spec.name, fixed, wanted, existing.config));
    if (differing.length > 0) await jsm.streams.update(spec.name, { ...existing.config, ...wanted });
    return ok({ created: false });
  } catch (cause) {
    return err(problem('unavailable', `stream ${spec.name} can't be set up: ${String(cause)}`));
  }
}

const STREAM_NOT_FOUND = 10059;

/** Before 2.9.21 several writers can win the same place when there are replicas. */
export function refuseReplicas(version: string, replicas: number): Problem | undefined {
  if (replicas <= 1 || atLeast(version, [2, 9, 21])) return undefined;
  const d = detail('replicas', replicas, `nats-server ${version} loses messages`, '1, or nats-server 2.9.21');
  return problem(
    'refused',
    `nats-server ${version} is not safe with ${replicas} replicas: use 2.9.21 or newer`,
    [d],
  );
}

function atLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split(/[.-]/).slice(0, 3).map(Number);
  for (const [i, wanted] of least.entries()) {
    const part = parts[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

function differences(wanted: object, existing: StreamConfig): string[] {
  const have = existing as unknown as Record<string, unknown>;
  return Object.entries(wanted)
    .filter(([name, value]) => !equalJson(value, have[name] ?? defaultOf(value)))
    .map(([name]) => name);
}

/** Servers leave out what is false or absent. */
function defaultOf(value: unknown): unknown {
  return typeof value === 'boolean' ? false : null;
}

function cannotChange(name: string, fields: string[], wanted: object, existing: StreamConfig): Problem {
  const details = fields.map((field) =>
    detail(
      `${name}.${field}`,
      (existing as unknown as Record<string, unknown>)[field],
      'differs and can not be changed in a stream that exists',
      JSON.stringify((wanted as Record<string, unknown>)[field]),
    ),
  );
  return problem('refused', `stream ${name} exists with other settings (${fields.join(', ')})`, details);
}
