import { err, ok, problem, type Result } from '#kernel';
import { type DomainEvent, type State } from '#domain';
import {
  encodeBytes,
  parseReport,
  type CommandRequest,
  type CommandResponse,
  type StatusResponse,
} from '#contracts';
import { Follower } from '#event-store';
import { clusterRules, patiently } from '#runtime';
import { Coordinator } from '../../../apps/migration-coordinator/src/coordinator.js';
import { LinkElection } from '../bus/lease.js';
import { Link, type Answer } from '../bus/link.js';
import { LinkLog } from '../bus/log-port.js';
import { type Server } from '../bus/server.js';
import { type Process } from '../engine/process.js';
import { STATUS } from './manager.js';

const LEASE_MS = 2_000;
const DEADLINE_MS = 5_000;

/** One run of the migration-coordinator. */
export class CoordinatorService {
  readonly follower: Follower<State, DomainEvent>;
  readonly link: Link;
  private readonly coordinator: Coordinator;
  private readonly election: LinkElection;

  constructor(
    readonly process: Process,
    server: Server,
    fault: (where: string, cause: unknown) => void,
    /** Both copies propose, as when the lease does not help. */
    greedy: boolean,
  ) {
    this.link = new Link(process, server);
    this.follower = new Follower({
      log: new LinkLog(this.link),
      rules: clusterRules,
      clock: process.clock,
      onFault: (cause) => fault(`${process.name}: follower`, cause),
    });
    const nothing = (): void => undefined;
    this.election = new LinkElection(this.link, 'coordinator', LEASE_MS, nothing, nothing);
    this.coordinator = new Coordinator({
      follower: this.follower,
      clock: process.clock,
      instance: process.name,
      leads: () => greedy || this.election.leads,
      ask: (_subject, request) => ask(this.link, request),
      status: async () => {
        const said = answered(await this.link.command<StatusResponse>(STATUS, DEADLINE_MS));
        if (!said.ok) return said;
        return said.value.ok ? ok(said.value.status) : err(said.value.problem);
      },
      log: {
        info: (fields, message) => process.log('info', fields, message),
        warn: (fields, message) => process.log('warn', fields, message),
      },
    });
    this.link.subscribe<Uint8Array>('report', (bytes) => {
      const report = parseReport(bytes);
      if (report.ok) this.coordinator.heard(report.value);
    });
    void this.run();
  }

  private async run(): Promise<void> {
    await patiently(
      () => this.follower.start(),
      this.process.clock,
      () => undefined,
    );
    this.election.start();
    this.coordinator.start();
  }
}

/** A command over the server, as the real client asks it. */
export async function ask(link: Link, request: CommandRequest): Promise<Result<CommandResponse>> {
  return answered(await link.command<CommandResponse>(encodeBytes(request), DEADLINE_MS));
}

function answered<T>(answer: Answer<T | 'nobody'>): Result<T> {
  if (answer.kind === 'down') return err(problem('unavailable', 'no connection to the message server'));
  if (answer.kind === 'silence') return err(problem('unknown', 'no answer; it may have been done'));
  if (answer.value === 'nobody') return err(problem('unavailable', 'nobody serves commands at the moment'));
  return ok(answer.value);
}
