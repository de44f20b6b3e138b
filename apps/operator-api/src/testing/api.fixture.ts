import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { type AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { err, ok, problem, systemClock, unwrap, type Problem, type Result } from '#kernel';
import { type Command, type DomainEvent, type State } from '#domain';
import { type CommandRequest, type ManagerStatus, type Report, type WaitOutcome } from '#contracts';
import { Follower, InMemoryLog, openSequencer, type Sequencer } from '#event-store';
import { HealthRegistry } from '#platform';
import { clusterRules } from '#runtime';
import { createApplication } from '../application.js';
import { EventFeed } from '../events/event-feed.js';
import { History } from '../live/history.js';
import { LiveStore } from '../live/live-store.js';
import { type Accepted, type CommandGateway } from '../ports.js';

type ClusterSequencer = Sequencer<State, Command, DomainEvent>;

/** Stands in for the leader: the real decider on a log in memory; hosts realise what the spec says they do. */
export class LocalGateway implements CommandGateway {
  /** Answers instead of the leader, as long as there are some. */
  readonly faults: Problem[] = [];
  readonly waiting: WaitOutcome['waiting'][number][] = [];
  readonly requests: CommandRequest[] = [];

  constructor(readonly sequencer: ClusterSequencer) {}

  async execute(request: CommandRequest): Promise<Result<Accepted>> {
    this.requests.push(request);
    const fault = this.faults.shift();
    if (fault !== undefined) return err(fault);
    const { command, commandId, actor, correlationId, reason } = request;
    const meta = { commandId, actor, correlationId, ...(reason === undefined ? {} : { reason }) };
    const answer = await this.sequencer.submit({ command, ...meta });
    if (!answer.ok) return answer;
    const { revision, lineage, repeated, events } = answer.value;
    return ok({ ok: true, revision, lineage, duplicate: repeated, events: events.length });
  }

  wait(revision: WaitOutcome['revision']): Promise<Result<WaitOutcome>> {
    const hosts = [...this.sequencer.state.hosts.keys()];
    const late = new Set(this.waiting.map((w) => w.host));
    const realised = hosts.filter((h) => !late.has(h));
    const lineage = this.sequencer.head.lineage!;
    return Promise.resolve(
      ok({
        done: late.size === 0,
        lineage,
        revision,
        targets: hosts.length,
        realised,
        waiting: this.waiting,
      }),
    );
  }

  manager(): Promise<Result<ManagerStatus>> {
    const { head } = this.sequencer;
    return Promise.resolve(
      ok({
        manager: 'manager-1',
        role: 'leader',
        lineage: head.lineage ?? null,
        revision: head.revision,
        realisedUpTo: head.revision,
        hosts: [],
        time: head.time,
      }),
    );
  }
}

export interface Api {
  readonly url: string;
  readonly gateway: LocalGateway;
  readonly live: LiveStore;
  readonly log: InMemoryLog;
  readonly follower: Follower<State, DomainEvent>;
  /** What listeners threw: a spec expects it to stay empty. */
  readonly faults: unknown[];
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Commits as the leader would, past the API. */
  command(command: Command): Promise<void>;
  report(host: string, more?: Partial<Report>): void;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Specs look into answers of many shapes.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** The whole application on a free loopback port. */
export async function startApi(options: { token?: string } = {}): Promise<Api> {
  const log = new InMemoryLog();
  const faults: unknown[] = [];
  const onFault = (cause: unknown): void => void faults.push(cause);
  const base = { log, rules: clusterRules, clock: systemClock, onFault };
  const ids = { next: () => randomUUID() };
  const sequencer = unwrap(await openSequencer({ ...base, ids, cluster: 'spec', actor: 'spec' }));
  const follower = new Follower(base);
  await follower.start();
  const feed = new EventFeed(follower, log, clusterRules);
  await feed.start();
  const live = new LiveStore(systemClock);
  const history = new History(live, systemClock, 0);
  live.onTelemetry((telemetry) => history.take(follower.state, telemetry));
  const gateway = new LocalGateway(sequencer);
  const [health, metrics] = [new HealthRegistry(), new Registry()];
  const parts = {
    follower,
    log,
    rules: clusterRules,
    gateway,
    live,
    history,
    feed,
    clock: systemClock,
    health,
    metrics,
  };
  const app = await createApplication(parts, { address: '127.0.0.1', token: options.token, logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    gateway,
    live,
    log,
    follower,
    faults,
    call: (method, path, body, headers) => call(url, method, path, body, headers),
    command: async (command) => {
      const { revision } = unwrap(
        await sequencer.submit({ command, commandId: randomUUID(), actor: 'spec' }),
      );
      await follower.waitFor(revision);
    },
    report: (host, more) => live.takeReport(reportFrom(host, follower, more)),
    close: async () => {
      await app.close();
      await sequencer.close();
    },
  };
}

async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'application/yaml' : 'application/json';
  const response = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  const isJson =
    /json/.test(response.headers.get('content-type') ?? '') &&
    !/ndjson/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(answer) as unknown) : answer,
  };
}

function reportFrom(
  host: string,
  follower: Follower<State, DomainEvent>,
  more: Partial<Report> = {},
): Report {
  return {
    schema: 1,
    host: host as Report['host'],
    lineage: follower.lineage!,
    boot: 'boot-1',
    realised: follower.revision,
    received: follower.revision,
    exceptions: [],
    time: Date.now(),
    version: '0.1.0',
    driver: 'simulated',
    ...more,
  };
}

export const unavailable = problem('unavailable', 'nobody leads at the moment');
