import { type NatsConnection } from '@nats-io/transport-node';
import { ProblemError } from '#kernel';
import {
  Archive,
  ArchivedLog,
  newestOf,
  type CommitLog,
  type SnapshotRules,
  type SnapshotSource,
} from '#event-store';
import { FileArchive, JetStreamLog, sha256Hasher } from '#event-store/jetstream';
import { type State } from '#domain';
import { clusterRules, CODE_VERSION, stateCodec } from './rules.js';

/** How the cluster's state becomes a snapshot. */
export const snapshotRules = { codeVersion: CODE_VERSION, state: stateCodec, hasher: sha256Hasher } as const;

export interface LogPlace {
  readonly inboxPrefix?: string;
  /** Absent: what was taken out of the log can't be read. */
  readonly archiveDir?: string | undefined;
  /** Snapshots of this process's own. */
  readonly own?: SnapshotSource;
  readonly notice: (text: string) => void;
}

export interface OpenLog {
  readonly log: CommitLog;
  /** Where a reader of it may begin. */
  readonly snapshots: SnapshotRules<State>;
}

/** The cluster's log as a service reads it: with its archive behind it, if there is one. */
export async function openLog(nc: NatsConnection, place: LogPlace): Promise<OpenLog> {
  const { inboxPrefix, archiveDir, own = NONE, notice } = place;
  const stream = await JetStreamLog.open(nc, inboxPrefix === undefined ? {} : { inboxPrefix });
  if (archiveDir === undefined) return { log: stream, snapshots: { ...snapshotRules, store: own } };
  const archive = archiveIn(archiveDir);
  const store = newestOf(own, orNone(archive, notice));
  return { log: new ArchivedLog(stream, archive), snapshots: { ...snapshotRules, store } };
}

export const archiveIn = (dir: string): Archive => new Archive(new FileArchive(dir), clusterRules.hash);

const NONE: SnapshotSource = { load: () => Promise.resolve(undefined) };

/** An archive that can't be used is no reason not to begin at a snapshot of one's own. */
const orNone = (archive: Archive, notice: (text: string) => void): SnapshotSource => ({
  load: async (codeVersion, atMostSeq) => {
    try {
      return await archive.load(codeVersion, atMostSeq);
    } catch (cause) {
      if (!(cause instanceof ProblemError)) throw cause;
      notice(`the archive in ${archive.store.place} can't be used: ${cause.problem.message}`);
      return undefined;
    }
  },
});
