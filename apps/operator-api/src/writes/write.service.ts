import { Inject, Injectable } from '@nestjs/common';
import { describe, detail, problem, ProblemError, type Clock, type Lineage, type Revision } from '#kernel';
import { decide, evolve, type Command, type DomainEvent, type State } from '#domain';
import { type Change, type Realised, type WriteResult } from '#contracts/http';
import {
  type CommandGateway,
  CLOCK,
  FOLLOWER,
  GATEWAY,
  type Accepted,
  type ClusterFollower,
} from '../ports.js';
import { EventFeed } from '../events/event-feed.js';
import { asOf } from '../as-of.js';
import { changesOf } from './changes.js';
import { madeBy, unchangedOf, versionOf } from './outcome.js';
import { realisedView } from './realised.js';

/** Who asks, under which id, and whether to wait. */
export interface WriteMeta {
  readonly commandId: string;
  readonly correlationId: string;
  readonly actor: string;
  readonly reason?: string | undefined;
  /** Seconds; undefined: do not wait. */
  readonly wait?: number | undefined;
}

/** How long an answer waits for this copy to have read what it just wrote. */
const OWN_READ_MS = 2000;

/** Sends commands to the leader and tells what they changed. Nothing is kept here: killed in between, a retry with the same id gets the same answer. */
@Injectable()
export class WriteService {
  constructor(
    @Inject(GATEWAY) private readonly gateway: CommandGateway,
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(EventFeed) private readonly feed: EventFeed,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `stated`: names of the resources that the command states, to tell how many stayed as they were. */
  async run(command: Command, meta: WriteMeta, stated: readonly string[] = []): Promise<WriteResult> {
    const began = this.clock.monotonic();
    const { commandId, correlationId, actor, reason } = meta;
    const answer = await this.gateway.execute({
      v: 1,
      commandId,
      correlationId,
      actor,
      command,
      ...(reason === undefined ? {} : { reason }),
    });
    if (!answer.ok) throw new ProblemError(answer.error);
    const accepted = answer.value;
    // Asked for first: hosts may be done before this copy has read what was decided.
    const waiting =
      meta.wait === undefined ? undefined : this.waited(accepted, this.target(accepted, stated), meta, began);
    const [changed, realised] = await Promise.all([this.changed(accepted), waiting]);
    return {
      lineage: accepted.lineage,
      revision: accepted.revision,
      dryRun: false,
      repeated: accepted.duplicate === true,
      changed,
      unchanged: unchangedOf(stated, changed),
      ...(realised === undefined ? {} : { realised }),
    };
  }

  /** What would happen, decided on the state that this copy holds. Nothing leaves the process. */
  dryRun(command: Command, actor: string, stated: readonly string[]): WriteResult {
    const state = asOf(this.follower);
    const now = Math.max(this.clock.now(), state.time);
    const decided = decide(state, command, { now, actor });
    if (!decided.ok) throw new ProblemError(decided.error);
    const changed = changesOf(decided.value, state, this.after(state, decided.value, now));
    const unchanged = unchangedOf(stated, changed);
    return {
      lineage: state.lineage,
      revision: state.revision,
      dryRun: true,
      repeated: false,
      changed,
      unchanged,
    };
  }

  async realised(revision: number, timeoutS: number, correlationId: string): Promise<Realised> {
    const began = this.clock.monotonic();
    if (revision > this.follower.revision) await this.mustExist(revision);
    const lineage = this.follower.lineage;
    const outcome = await this.gateway.wait(revision as Revision, lineage, timeoutS * 1000, correlationId);
    if (!outcome.ok) throw new ProblemError(outcome.error);
    return realisedView(outcome.value, this.clock.monotonic() - began);
  }

  private after(state: State, events: readonly DomainEvent[], time: number): State {
    const lineage = state.lineage ?? ('' as Lineage);
    const meta = { lineage, revision: (state.revision + 1) as Revision, time };
    return events.reduce((s, event) => evolve(s, event, meta), state);
  }

  /** It may have been made a moment ago through another copy. */
  private async mustExist(revision: number): Promise<void> {
    try {
      await this.follower.waitFor(revision, { timeoutMs: OWN_READ_MS });
    } catch (cause) {
      if (!(cause instanceof ProblemError) || this.follower.status !== 'live') throw cause;
      const d = detail('revision', revision, 'does not exist yet', `up to ${this.follower.revision}`);
      throw new ProblemError(problem('not-found', describe(d), [d]), { cause });
    }
  }

  private async changed(accepted: Accepted): Promise<Change[]> {
    if (accepted.events === 0) return [];
    try {
      await this.follower.waitFor(accepted.revision, { lineage: accepted.lineage, timeoutMs: OWN_READ_MS });
    } catch (cause) {
      // It is done; that this copy lags does not undo it. What the leader itself named is told.
      if (cause instanceof ProblemError) return madeBy(accepted);
      throw cause;
    }
    const seen = this.feed.at(accepted.revision);
    if (seen?.before === undefined || seen.after === undefined) return madeBy(accepted);
    return changesOf(seen.commit.events, seen.before, seen.after);
  }

  /** What stood already is waited for as well: at the newest revision that stated any of it. */
  private target({ revision, events }: Accepted, stated: readonly string[]): Revision {
    if (events !== 0) return revision;
    const versions = stated.map((name) => versionOf(this.follower.state, name));
    const newest = Math.max(0, ...versions);
    return newest === 0 ? revision : (newest as Revision);
  }

  /** The command stands whatever becomes of the waiting, so its trouble is told inside the answer. */
  private async waited(
    accepted: Accepted,
    revision: Revision,
    meta: WriteMeta,
    began: number,
  ): Promise<Realised> {
    const { lineage } = accepted;
    const outcome = await this.gateway.wait(revision, lineage, (meta.wait ?? 0) * 1000, meta.correlationId);
    const elapsedMs = this.clock.monotonic() - began;
    if (outcome.ok) return realisedView(outcome.value, elapsedMs);
    const targets = accepted.affectedHosts ?? [];
    const waiting = targets.map((host) => ({
      host,
      realised: null,
      reason: `not known: ${outcome.error.message}`,
    }));
    return {
      lineage,
      revision,
      realised: false,
      hosts: 0,
      of: targets.length,
      elapsedMs,
      waiting,
      exceptions: [],
    };
  }
}
