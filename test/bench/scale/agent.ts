import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { systemClock, type HostName } from '#kernel';
import { bridgeName } from '#compiler';
import { type Observation, type ObservedInterface, type Step } from '#openflow';
import { NatsDocumentSource, NatsLink } from '#platform';
import { credentialsPath } from '#platform/accounts';
import { DocumentSync, Reporter, type DocumentSyncOptions } from '#protocol';
import { SimulatedDriver, SimulatedSwitch } from '#simulated-switch';
import { Agent } from '../../../apps/host-agent/src/agent.js';
import { Centre } from '../../../apps/host-agent/src/centre.js';
import { FactJournal } from '../../../apps/host-agent/src/facts/journal.js';
import { standbys } from '../../../apps/host-agent/src/hypervisor/standbys.js';
import { NoHypervisor } from '../../../apps/host-agent/src/hypervisor/hypervisor.js';
import { LocalMemory } from '../../../apps/host-agent/src/state/local-memory.js';
import { emptyMemory } from '../../../apps/host-agent/src/state/memory.js';
import { DEVICE, SWITCH, type HostShape, type SwarmPlan } from './plan.js';
import { tapOf, type Rack } from './rack.js';

const warn = (text: string): void => void process.stderr.write(`swarm: ${text}\n`);

/**
 * A real switch is asked over a socket, and meanwhile its host reads others. Hundreds of hosts that share a process
 * would otherwise let none of them hear anything until all had done what they have to.
 */
class SharingDriver extends SimulatedDriver {
  override async apply(step: Step): Promise<void> {
    await new Promise(setImmediate);
    return super.apply(step);
  }

  override async read(): Promise<Observation> {
    await new Promise(setImmediate);
    return super.read();
  }

  override async interfaces(): Promise<readonly ObservedInterface[]> {
    await new Promise(setImmediate);
    return super.interfaces();
  }
}

/** Each sends its own at a time of its own. */
const CHECKPOINT_MS = 30_000;

export interface SwarmHost {
  readonly target: SimulatedSwitch;
  readonly driver: SimulatedDriver;
  /** Tells the counters as they are now, and resolves when that is sent. */
  readonly tell: () => Promise<void>;
  /** Without a word, as a host that lost its power. */
  readonly die: () => Promise<void>;
}

/**
 * A host as production has it: the agent, its document synchronisation and its reporter on a connection and account
 * of its own. Only the switch is simulated, nothing goes to disk, and counters are told when asked for, besides the
 * checkpoints. Resolves when all its guests' ports are open. `rack`: where its guests can move to; without, none does.
 */
export async function startHost(
  plan: Pick<SwarmPlan, 'home' | 'server'>,
  shape: HostShape,
  signed: Pick<DocumentSyncOptions, 'verifier' | 'open'>,
  rack?: Rack,
): Promise<SwarmHost> {
  const host = shape.name as HostName;
  const clock = systemClock;
  const link = NatsLink.open({
    servers: [plan.server],
    name: `host-agent ${host}`,
    credentialsFile: credentialsPath(join(plan.home, 'credentials'), `host.${host}`),
  });
  await link.connection();
  const target = new SimulatedSwitch({ clock, devices: [DEVICE] });
  const driver = new SharingDriver(target);
  const hypervisor = rack?.join(host, target);
  const boot = randomUUID();
  const centre = new Centre(link, host, (text) => warn(`${host}: ${text}`));
  const journal = new FactJournal(
    host,
    boot,
    centre.facts,
    () => Promise.resolve(),
    () => clock.now(),
    (ms, fn) => clock.after(ms, fn),
    null,
  );
  const reporter = new Reporter({ clock, send: centre.report });
  let isReady = false;
  let ready: () => void = () => undefined;
  const allOpen = new Promise<void>((resolve) => (ready = resolve));
  const agent = new Agent({
    host,
    boot: journal.boot,
    driver,
    hypervisor: hypervisor ?? new NoHypervisor(),
    journal,
    memory: new LocalMemory(boot, emptyMemory(boot), () => Promise.resolve()),
    clock,
    ids: { next: () => randomUUID() as string },
    services: [standbys],
    log: {
      info: () => undefined,
      warn: (fields, text) => warn(`${host}: ${text} ${JSON.stringify(fields)}`),
    },
    report: (standing, urgent) => {
      reporter.update(
        { ...standing, host, boot: journal.boot, version: 'bench', driver: 'simulated' },
        urgent,
      );
      if (isReady) return;
      const open = agent.compiled?.bindings.filter((b) => b.open).length ?? 0;
      isReady = open === shape.groups.length;
      if (isReady) ready();
    },
  });
  const sync = new DocumentSync({
    host,
    source: new NatsDocumentSource(host, link),
    clock,
    ...signed,
    onSnapshot: (snapshot) => agent.documents(snapshot),
    onTrouble: (what) => warn(`${host}: ${what.message}`),
  });
  link.onState((state) => {
    if (state === 'connected') journal.resendAll();
  });
  await agent.start(null);
  void sync.run();
  await target.whenBridge(bridgeName(shape.switch ?? SWITCH));
  for (const [i, group] of shape.groups.entries()) {
    if (hypervisor === undefined) target.addInterface(tapOf(shape.number, i, group, shape.switch));
    else hypervisor.boot(shape, i);
  }
  await allOpen;
  const keeping = rack === undefined ? () => undefined : checkpoints(agent, centre);
  return {
    target,
    driver,
    tell: async () => {
      centre.telemetry(await agent.telemetry());
      await (await link.connection()).flush();
    },
    die: async () => {
      keeping();
      rack?.leave(host);
      sync.stop();
      reporter.stop();
      await link.close();
      await agent.close();
      journal.close();
    },
  };
}

function checkpoints(agent: Agent, centre: Centre): () => void {
  let timer = setTimeout(next, Math.random() * CHECKPOINT_MS);
  function next(): void {
    timer = setTimeout(next, CHECKPOINT_MS);
    agent
      .checkpoint()
      .then(centre.checkpoint)
      .catch((cause: unknown) => warn(`a checkpoint: ${String(cause)}`));
  }
  return () => clearTimeout(timer);
}
