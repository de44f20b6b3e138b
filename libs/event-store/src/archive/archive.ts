import { err, ok, problem, ProblemError, unwrap, type Problem, type Result } from '#kernel';
import { type StoredMessage } from '../commit-log.js';
import { decodeEnvelope } from '../envelope-decode.js';
import { type Hash } from '../envelope.js';
import { fromSnapshot, type SavedSnapshot, type SnapshotRules, type SnapshotSource } from '../snapshot.js';
import { chained, messagesOf, parseManifest, type ArchiveStore, type Segment } from './segment.js';

/** What an archive holds, read with every check that can be made of it without the log. */
export class Archive implements SnapshotSource {
  constructor(
    readonly store: ArchiveStore,
    readonly hash: Hash,
  ) {}

  /** In the order of the log, from its very first message. Throws ProblemError with the reason why it can't be used. */
  async segments(): Promise<readonly Segment[]> {
    const kept = await this.store.manifests();
    return unwrap(chained(kept.map(({ name, text }) => unwrap(parseManifest(text, name, this.hash)))));
  }

  /** Messages of a segment from a position on, block by block. Throws ProblemError at the first that is damaged. */
  async *read(segment: Segment, fromSeq: number): AsyncGenerator<readonly StoredMessage[]> {
    const { blocks, last, name } = segment;
    for (const [i, block] of blocks.entries()) {
      const end = blocks[i + 1]?.seq ?? last.seq + 1;
      if (end <= fromSeq) continue;
      const lines = await this.store.lines(segment, block);
      if (this.hash(lines) !== block.digest)
        throw new ProblemError(damaged(name, `the messages from ${block.seq} on have another digest`));
      const messages = messagesOf(lines, block.seq);
      if (messages.length !== end - block.seq)
        throw new ProblemError(damaged(name, `${messages.length} messages stand for ${end - block.seq}`));
      yield messages.filter(({ seq }) => seq >= fromSeq);
    }
  }

  /** The newest snapshot of a segment's end that this code reads, up to a position. */
  async load(codeVersion: string, atMostSeq = Infinity): Promise<SavedSnapshot | undefined> {
    const fitting = (await this.segments()).filter(
      ({ last, state }) => last.seq <= atMostSeq && state.codeVersion === codeVersion,
    );
    const newest = fitting.at(-1);
    return newest === undefined ? undefined : this.store.snapshot(newest);
  }

  /**
   * Reads all of a segment: every block, the hash chain from what came before to what comes after, and the snapshot of
   * its end. `rules` are absent for a segment that another version of the code sealed: its snapshot is read by nobody.
   */
  async verify<State>(segment: Segment, rules?: Omit<SnapshotRules<State>, 'store'>): Promise<Result<void>> {
    const { name, before, last, state } = segment;
    try {
      let [seq, hash] = [before.seq, before.hash];
      for await (const messages of this.read(segment, 0)) {
        for (const { bytes } of messages) {
          const decoded = decodeEnvelope(bytes, hash);
          // What can't be decoded was repudiated; the one after it names its hash like any other's.
          if (decoded.ok && decoded.value.prevhash !== hash)
            return err(damaged(name, `message ${seq + 1} does not follow ${seq}: the hash chain is broken`));
          [seq, hash] = [seq + 1, this.hash(bytes)];
        }
      }
      if (seq !== last.seq || hash !== last.hash)
        return err(damaged(name, `it ends with ${seq} ${hash}, not with ${last.seq} ${last.hash}`));
      if (rules === undefined || rules.codeVersion !== state.codeVersion) return ok(undefined);
      const read = await fromSnapshot(await this.store.snapshot(segment), rules);
      if (!read.ok) return err(damaged(name, read.error.message));
      return read.value.head.hash === last.hash
        ? ok(undefined)
        : err(damaged(name, 'its snapshot is not that of its end'));
    } catch (cause) {
      if (cause instanceof ProblemError) return err(cause.problem);
      return err(damaged(name, String(cause)));
    }
  }
}

export const damaged = (name: string, why: string): Problem =>
  problem('internal', `archive segment ${name} is damaged: ${why}`);
