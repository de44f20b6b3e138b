import { type DomainEvent, type State } from '#domain';
import {
  encodeBytes,
  parseCheckpoint,
  parseCommandRequest,
  parseFactBatch,
  parseLeaseQuestion,
  parseReport,
  SUBJECTS,
  type Checkpoint,
} from '#contracts';
import { Follower, type SnapshotStore } from '#event-store';
import { sha256Hasher } from '#event-store/jetstream';
import { clusterRules, CODE_VERSION, patiently, stateCodec } from '#runtime';
import { err, ok, problem, unwrap, type HostName, type Result } from '#kernel';
import { Manager } from '../../../apps/switch-manager/src/manager.js';
import { Snapshotter } from '../../../apps/switch-manager/src/snapshotter.js';
import { type Consumer, type Reading } from '../bus/consumer.js';
import { LinkStore } from '../bus/docs-port.js';
import { LinkElection } from '../bus/lease.js';
import { Link, type LeaseAsked } from '../bus/link.js';
import { LinkLog } from '../bus/log-port.js';
import { type Server } from '../bus/server.js';
import { type StreamMessage } from '../bus/stream.js';
import { type Disk, DiskWriter } from '../host/disk.js';
import { type Process } from '../engine/process.js';
import { handoverToken, signer, verifier } from './signing.js';

const LEASE_MS = 2_000;
/** Often, so that stories see many. */
const SNAPSHOT_EVERY = 40;
const AGAIN_MS = 200;

/** Faults planted in a manager, for tests of the tests. */
export interface ManagerBugs {
  /** Under which id a command is done that came under `id`. */
  readonly commandId?: (id: string, now: number) => string;
  /** Batches of facts are taken in side by side. */
  readonly factsOvertake?: boolean;
}

/** Asks the leader how everything stands. */
export const STATUS = 'status';

/** One run of the switch-manager: the wiring of its main, over the simulated server. */
export class ManagerService {
  readonly follower: Follower<State, DomainEvent>;
  readonly manager: Manager;
  readonly link: Link;
  private readonly election: LinkElection;
  private stopServing = (): void => undefined;
  private stopIntake = (): void => undefined;

  constructor(
    readonly process: Process,
    server: Server,
    private readonly facts: Consumer,
    disk: Disk,
    private readonly fault: (where: string, cause: unknown) => void,
    private readonly bugs: ManagerBugs = {},
    private readonly snapshotEvery = SNAPSHOT_EVERY,
  ) {
    this.link = new Link(process, server);
    const log = new LinkLog(this.link);
    const snapshots = {
      store: diskSnapshots(disk, process),
      codeVersion: CODE_VERSION,
      state: stateCodec,
      hasher: sha256Hasher,
    };
    this.follower = new Follower({
      log,
      rules: clusterRules,
      clock: process.clock,
      snapshots,
      onFault: (cause) => fault(`${process.name}: follower`, cause),
    });
    this.manager = new Manager({
      log,
      store: new LinkStore(this.link),
      follower: this.follower,
      signer,
      verifier,
      handoverToken,
      clock: process.clock,
      ids: process.ids,
      cluster: 'sim',
      instance: process.name,
      logger: {
        info: (fields, message) => process.log('info', fields, message),
        warn: (fields, message) => process.log('warn', fields, message),
        error: (fields, message) => {
          process.log('error', fields, message);
          const { err } = fields as { err?: unknown };
          if (err !== undefined) fault(`${process.name}: ${message}`, err);
        },
      },
      checkpoint: (host) => this.checkpoint(host),
      elected: () => this.election.leads,
      overlapMs: () => LEASE_MS,
      // Stories have few hosts: as if they were many.
      notesAtMost: (hosts) => Math.floor(hosts / 2),
      setActive: (active) => this.setActive(active),
    });
    this.election = new LinkElection(
      this.link,
      'sequencer',
      LEASE_MS,
      () => this.manager.elected(),
      (reason) => this.manager.lost(reason),
    );
    this.link.subscribe<Uint8Array>('report', (bytes) => {
      const report = parseReport(bytes);
      if (report.ok) this.manager.report(report.value.host, report.value);
      else fault(`${process.name}: report`, report.error);
    });
    this.link.subscribe<LeaseAsked>('lease', ({ bytes, reply }) => {
      const question = parseLeaseQuestion(bytes);
      const answer = this.manager.lease(unwrap(question));
      if (answer !== null) this.link.send('lease', () => reply(encodeBytes(answer)));
    });
    void this.run(snapshots);
  }

  private async run(snapshots: ConstructorParameters<typeof Snapshotter>[1]): Promise<void> {
    await patiently(
      () => this.follower.start(),
      this.process.clock,
      () => undefined,
    );
    new Snapshotter(this.follower, snapshots, this.snapshotEvery, (cause) => this.fault('snapshots', cause));
    this.election.start();
  }

  private async checkpoint(host: HostName): Promise<Result<Checkpoint | null>> {
    const { checkpoints } = this.link.server;
    const answer = await this.link.ask('last checkpoint', () => checkpoints.last(SUBJECTS.checkpoint(host)));
    if (answer.kind !== 'answer') return err(problem('unavailable', 'the checkpoint can’t be read'));
    return answer.value === undefined ? ok(null) : parseCheckpoint(answer.value.bytes);
  }

  private setActive(active: boolean): Promise<void> {
    this.stopServing();
    this.stopIntake();
    this.stopServing = this.stopIntake = () => undefined;
    if (active) {
      this.stopServing = this.link.serve((request, reply) => {
        if (request === STATUS) reply(this.manager.status());
        else void this.execute(request, reply);
      });
      this.stopIntake = this.intake();
    }
    return Promise.resolve();
  }

  private async execute(request: unknown, reply: (answer: unknown) => void): Promise<void> {
    const parsed = parseCommandRequest(request as Uint8Array);
    if (!parsed.ok) return reply({ ok: false, problem: parsed.error });
    const { commandId } = parsed.value;
    const now = this.process.clock.monotonic();
    const id = this.bugs.commandId?.(commandId, now) ?? commandId;
    reply(await this.manager.execute({ ...parsed.value, commandId: id }));
  }

  /** As FactIntake: a reading of its own, one message after the other, acknowledged when its commit is stored. */
  private intake(): () => void {
    const intake: Intake = { stopped: false, reading: null };
    void this.read(intake);
    return () => {
      intake.stopped = true;
      intake.reading?.stop();
    };
  }

  private async read(intake: Intake): Promise<void> {
    while (!intake.stopped) {
      await this.oneReading(intake);
      if (!intake.stopped) await this.process.pause(AGAIN_MS, 'facts: tries again');
    }
  }

  /** Until it is cut off. */
  private async oneReading(intake: Intake): Promise<void> {
    const waiting: StreamMessage[] = [];
    let inHand: Promise<void> | null = null;
    const work = async (reading: Reading): Promise<void> => {
      for (let m = waiting.shift(); m !== undefined; m = waiting.shift()) await this.take(m, intake, reading);
      inHand = null;
    };
    let cutOff = (): void => undefined;
    const over = new Promise<void>((resolve) => (cutOff = resolve));
    let reading: Reading | null = null;
    const go = (): void => {
      if (reading === null || waiting.length === 0) return;
      if (this.bugs.factsOvertake === true)
        for (const message of waiting.splice(0)) void this.take(message, intake, reading);
      else inHand ??= work(reading);
    };
    const take = (message: StreamMessage): void => {
      waiting.push(message);
      go();
    };
    const answer = await this.link.ask('facts: reading', () => this.facts.read(this.link, take, cutOff));
    if (answer.kind !== 'answer') return;
    if (intake.stopped) return answer.value.stop();
    intake.reading = reading = answer.value;
    go();
    await over;
    reading.stop();
    await inHand;
  }

  private async take(
    { seq, bytes, subject }: StreamMessage,
    intake: Intake,
    reading: Reading,
  ): Promise<void> {
    const batch = parseFactBatch(bytes);
    if (!batch.ok) return this.fault(`facts ${subject}`, batch.error);
    while (!intake.stopped) {
      const taken = await this.manager.ingest(batch.value, String(seq));
      const later = taken.ok ? taken.value === 'later' : taken.error.retry;
      if (!taken.ok && !later)
        this.process.log('warn', taken.error, `facts of ${batch.value.host} were refused`);
      this.link.send(`facts: ${later ? 'later' : 'taken'} ${seq}`, () =>
        later ? reading.working(seq) : reading.ack(seq),
      );
      if (!later) return;
      await this.process.pause(AGAIN_MS, 'facts: tries again');
    }
  }
}

interface Intake {
  stopped: boolean;
  reading: Reading | null;
}

function diskSnapshots(disk: Disk, process: Process): SnapshotStore {
  const writer = new DiskWriter(disk, process);
  return {
    save: ({ head, lines }) => writer.write('snapshot', () => [String(head.seq), ...lines].join('\n')),
    load: async (_codeVersion, atMostSeq) => {
      // There is no other one than the last.
      if (atMostSeq !== undefined) return undefined;
      await process.pause(process.random.between(0.1, 5), 'reads a snapshot');
      const text = disk.files.get('snapshot');
      if (text === undefined) return undefined;
      const [seq, ...lines] = text.split('\n');
      return { seq: Number(seq), lines };
    },
  };
}
