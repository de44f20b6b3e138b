import { type Lineage, type Result, type Revision } from '#kernel';
import { type DomainEvent, type State } from '#domain';
import { type CommandRequest, type CommandResponse, type ManagerStatus, type WaitOutcome } from '#contracts';
import { type CommitLog, type Follower, type ReplicaRules } from '#event-store';

/** A command that was accepted. */
export type Accepted = Extract<CommandResponse, { ok: true }>;

/** The way to the leader. Every outcome is a value; retrying over a change of leader is done inside. */
export interface CommandGateway {
  execute(request: CommandRequest): Promise<Result<Accepted>>;
  /** Answers when all hosts concerned realised the revision, or when the time is up. */
  wait(
    revision: Revision,
    lineage: Lineage | undefined,
    timeoutMs: number,
    correlationId: string,
  ): Promise<Result<WaitOutcome>>;
  manager(correlationId: string): Promise<Result<ManagerStatus>>;
}

export type ClusterFollower = Follower<State, DomainEvent>;
export type ClusterRules = ReplicaRules<State, DomainEvent>;
export type Log = CommitLog;

/** Tokens of what has no class of its own. */
export const GATEWAY = Symbol('CommandGateway');
export const FOLLOWER = Symbol('Follower');
export const LOG = Symbol('CommitLog');
export const RULES = Symbol('ReplicaRules');
export const CLOCK = Symbol('Clock');
