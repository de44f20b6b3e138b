import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { err, ok, problem, type HostName, type Result } from '#kernel';
import { type CounterCheckpoint } from '#domain';
import { parseCheckpoint, STREAMS, SUBJECTS, type Checkpoint } from '#contracts';

/** A host's last checkpoint; null: there is none. `unavailable`: it could not be asked for now. */
export type LastCheckpoint = (host: HostName) => Promise<Result<Checkpoint | null>>;

/** Reads checkpoints from their stream, last value by host. One that can't be read counts as none, and is said. */
export const lastCheckpoint =
  (nc: NatsConnection, trouble: (host: HostName, why: string) => void): LastCheckpoint =>
  async (host) => {
    try {
      const manager = await jetstreamManager(nc, { checkAPI: false });
      const query = { last_by_subj: SUBJECTS.checkpoint(host) };
      const message = await manager.streams.getMessage(STREAMS.checkpoints, query);
      if (message === null) return ok(null);
      const parsed = parseCheckpoint(message.data);
      if (parsed.ok && parsed.value.host === host) return parsed;
      trouble(host, parsed.ok ? `is of ${parsed.value.host}` : parsed.error.message);
      return ok(null);
    } catch (cause) {
      return err(problem('unavailable', `the last checkpoint of ${host} can't be read: ${String(cause)}`));
    }
  };

/** As commands carry it. */
export const asCounters = (checkpoint: Checkpoint | null): readonly CounterCheckpoint[] =>
  (checkpoint?.counters ?? []).map(({ port, epoch, incarnation, raw }) => {
    return { port, epoch, incarnation, raw, at: checkpoint?.time ?? 0 };
  });
