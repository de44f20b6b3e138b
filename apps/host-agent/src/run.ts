import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger } from 'pino';
import { err, ok, problem, ProblemError, systemClock, type HostName, type Result } from '#kernel';
import { type LeaseQuestion, type Verifier } from '#contracts';
import { NatsDocumentSource, type NatsLink } from '#platform';
import { DocumentSync, fromDisk, Reporter, toDisk, type Snapshot } from '#protocol';
import { Agent } from './agent.js';
import { bootId } from './boot-id.js';
import { Centre } from './centre.js';
import { type HostAgentConfig } from './config.js';
import { NatsConnections } from './connections/channel.js';
import { connections } from './connections/service.js';
import { FactJournal, parseJournal } from './facts/journal.js';
import { hostParts } from './host-parts.js';
import { leased } from './lease/service.js';
import { LocalMemory } from './state/local-memory.js';
import { emptyMemory, parseMemory } from './state/memory.js';
import { SERVICES } from './services.js';
import { StateDir } from './state/state-dir.js';
import { VERSION } from './version.js';

export interface RunningAgent {
  readonly agent: Agent;
  readonly journal: FactJournal;
  /** Whether the documents held are known to be current. */
  readonly current: () => boolean;
  readonly close: () => Promise<void>;
}

/** Puts an agent together from its configuration and starts it. Does not wait for NATS. */
export async function runAgent(
  config: HostAgentConfig,
  link: NatsLink,
  verifier: Verifier,
  logger: Logger,
): Promise<RunningAgent> {
  const host = config.host as HostName;
  const clock = systemClock;
  const ids = { next: () => randomUUID() as string };
  const disk = await StateDir.open(config.stateDir);
  const parts = await hostParts(config, disk, logger);
  const boot = parts.simulated === null ? await bootId() : randomUUID();
  const complain = (what: string) => (cause: unknown) => logger.error({ err: cause }, what);

  const remembered = await restored(disk, 'memory', parseMemory, logger);
  const memory = new LocalMemory(boot, remembered ?? emptyMemory(boot), keeper(disk, 'memory', logger));
  const centre = new Centre(link, host, (message) => logger.warn(message));
  const journal = new FactJournal(
    host,
    boot,
    centre.facts,
    keeper(disk, 'journal', logger),
    () => clock.now(),
    (ms, fn) => clock.after(ms, fn),
    await restored(disk, 'journal', parseJournal, logger),
  );
  const reporter = new Reporter({ clock, send: centre.report, from: uptimeMs() });
  let standing: Pick<LeaseQuestion, 'lineage' | 'realised'> | null = null;
  const lease = leased(async () =>
    standing === null
      ? null
      : centre.lease({
          schema: 1,
          host,
          boot: journal.boot,
          lineage: standing.lineage,
          realised: standing.realised,
        }),
  );
  const agent = new Agent({
    host,
    boot: journal.boot,
    driver: parts.driver,
    hypervisor: parts.hypervisor,
    journal,
    memory,
    clock,
    ids,
    log: logger,
    services: [...SERVICES, lease, ...parts.services, connections(new NatsConnections(host, link))],
    report: (now, urgent) => {
      standing = now;
      reporter.update(
        { ...now, host, boot: journal.boot, version: VERSION, driver: parts.driver.kind },
        urgent,
      );
    },
  });

  const documentsFile = join(disk.path, 'documents');
  const held = await heldDocuments(documentsFile, host, logger);
  let last: Snapshot | null = held;
  const writer = new LatestText(documentsFile, complain('the documents could not be written to disk'));
  const sync = new DocumentSync({
    host,
    source: new NatsDocumentSource(host, link),
    clock,
    verifier,
    ...(held === null ? {} : { held }),
    onSnapshot: (snapshot) => {
      const text = (): string => toDisk(snapshot, sha256);
      if (snapshot.documents !== last?.documents) writer.put(text, SOON_MS);
      else if (snapshot.received !== last.received) writer.put(text, LATER_MS);
      last = snapshot;
      agent.documents(snapshot);
    },
    onTrouble: (what) => logger.warn({ problem: what.message }, 'documents'),
  });
  link.onState((state) => {
    if (state === 'connected') journal.resendAll();
  });
  await agent.start(held);
  const syncing = sync.run().catch(complain('the document synchronisation ended'));
  const timers = [
    every(config.telemetryMs, async () => centre.telemetry(await agent.telemetry())),
    every(config.checkpointMs, async () => void (await centre.checkpoint(await agent.checkpoint()))),
    every(config.auditMs, () => Promise.resolve(parts.simulated === null ? agent.audit() : undefined)),
    every(config.glanceMs, () => agent.glance()),
    every(1_000, () =>
      parts.simulated === null ? Promise.resolve() : disk.write('guests', parts.simulated.save()),
    ),
  ];

  function every(ms: number, work: () => Promise<void>): () => void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((cause: unknown) => logger.debug({ err: cause }, 'the switch could not be read'))
        .finally(() => (busy = false));
    }, ms);
    return () => clearInterval(timer);
  }

  return {
    agent,
    journal,
    current: () => last !== null && !last.stale,
    close: async () => {
      for (const stop of timers) stop();
      sync.stop();
      await syncing;
      reporter.stop();
      if (parts.simulated !== null) await disk.write('guests', parts.simulated.save());
      await agent.close();
      await parts.simulated?.close();
      journal.close();
      await memory.save().catch(complain('the agent’s memory could not be written at the end'));
      await writer.settled();
    },
  };
}

/** Writes what nothing may be built on before it is on disk. Says once that it can't, and once that it can again. */
function keeper(disk: StateDir, name: string, logger: Logger): (value: unknown) => Promise<void> {
  let fails = false;
  return async (value) => {
    try {
      await disk.write(name, value);
      if (fails) logger.info(`the ${name} can be written again`);
      fails = false;
    } catch (cause) {
      if (!fails) logger.error({ err: cause }, `the ${name} could not be written`);
      fails = true;
      throw new ProblemError(problem('unavailable', `the ${name} could not be written: ${String(cause)}`), {
        cause,
      });
    }
  };
}

/** What is on disk, if it can be believed; else it is said, and the agent starts without. */
async function restored<T>(
  disk: StateDir,
  name: string,
  parse: (value: unknown) => Result<T>,
  logger: Logger,
): Promise<T | null> {
  const read = await disk.read(name);
  const parsed =
    read.ok && read.value === undefined ? ok(null) : read.ok ? parse(read.value) : err(read.error);
  if (parsed.ok) return parsed.value;
  logger.error({ problem: parsed.error.message }, `${name} on disk is not used`);
  return null;
}

/** Since the machine started: at most 200 reports are made a second, so a later run begins above an earlier one. */
const uptimeMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function heldDocuments(file: string, host: HostName, logger: Logger): Promise<Snapshot | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    logger.error({ err: cause }, 'the documents on disk can’t be read');
    return null;
  }
  const held = fromDisk(text, host, sha256);
  if (held.ok) return held.value;
  logger.error({ problem: held.error.message }, 'the documents on disk are not used');
  return null;
}

/**
 * After what switches wait for, and once for several changes: a file takes a sixth of what a change does. The next run
 * begins with what the disk holds only until the centre is heard; a machine that loses its power loses more than this.
 */
const SOON_MS = 100;
/** What alone says that the same still holds. */
const LATER_MS = 1_000;

/** Writes the latest of many texts, one at a time, each whole. */
class LatestText {
  #next: (() => string) | null = null;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #due = 0;

  constructor(
    private readonly file: string,
    private readonly complain: (cause: unknown) => void,
  ) {}

  /** `withinMs`: it need not be on disk sooner. An earlier text that is due sooner takes it along. */
  put(text: () => string, withinMs: number): void {
    this.#next = text;
    if (this.#running !== null) return;
    const due = performance.now() + withinMs;
    if (this.#timer !== null && this.#due <= due) return;
    clearTimeout(this.#timer ?? undefined);
    this.#due = due;
    this.#timer = setTimeout(() => this.#start(), withinMs);
  }

  settled(): Promise<void> {
    if (this.#next !== null) this.#start();
    return this.#running ?? Promise.resolve();
  }

  #start(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    this.#running ??= this.#drain().finally(() => (this.#running = null));
  }

  async #drain(): Promise<void> {
    for (let next = this.#next; next !== null; next = this.#next) {
      this.#next = null;
      try {
        // The page cache takes a few kilobytes sooner than a thread of the pool is woken, thrice.
        writeFileSync(`${this.file}.new`, next(), { mode: 0o600 });
        await rename(`${this.file}.new`, this.file);
      } catch (cause) {
        this.complain(cause);
      }
    }
  }
}
