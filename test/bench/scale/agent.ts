import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { systemClock, type HostName } from '#kernel';
import { bridgeName } from '#compiler';
import { type Verifier } from '#contracts';
import { NatsDocumentSource, NatsLink } from '#platform';
import { credentialsPath } from '#platform/accounts';
import { DocumentSync, Reporter } from '#protocol';
import { SimulatedDriver, SimulatedSwitch, type NewInterface } from '#simulated-switch';
import { Agent } from '../../../apps/host-agent/src/agent.js';
import { Centre } from '../../../apps/host-agent/src/centre.js';
import { FactJournal } from '../../../apps/host-agent/src/facts/journal.js';
import { NoHypervisor } from '../../../apps/host-agent/src/hypervisor/hypervisor.js';
import { LocalMemory } from '../../../apps/host-agent/src/state/local-memory.js';
import { emptyMemory } from '../../../apps/host-agent/src/state/memory.js';
import { DEVICE, SWITCH, type HostShape, type SwarmPlan } from './plan.js';

const warn = (text: string): void => void process.stderr.write(`swarm: ${text}\n`);

/**
 * A host as production has it: the agent, its document synchronisation and its reporter on a connection and account
 * of its own. Only the switch is simulated, and nothing goes to disk. Resolves when all its guests' ports are open.
 */
export async function startHost(
  plan: Pick<SwarmPlan, 'home' | 'server'>,
  shape: HostShape,
  verifier: Verifier,
): Promise<{ readonly target: SimulatedSwitch; readonly driver: SimulatedDriver }> {
  const host = shape.name as HostName;
  const clock = systemClock;
  const link = NatsLink.open({
    servers: [plan.server],
    name: `host-agent ${host}`,
    credentialsFile: credentialsPath(join(plan.home, 'credentials'), `host.${host}`),
  });
  await link.connection();
  const target = new SimulatedSwitch({ clock, devices: [DEVICE] });
  const driver = new SimulatedDriver(target);
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
    hypervisor: new NoHypervisor(),
    journal,
    memory: new LocalMemory(boot, emptyMemory(boot), () => Promise.resolve()),
    clock,
    ids: { next: () => randomUUID() as string },
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
    verifier,
    onSnapshot: (snapshot) => agent.documents(snapshot),
    onTrouble: (what) => warn(`${host}: ${what.message}`),
  });
  await agent.start(null);
  void sync.run();
  await target.whenBridge(bridgeName(shape.switch ?? SWITCH));
  plugGuests(target, shape);
  await allOpen;
  return { target, driver };
}

function plugGuests(target: SimulatedSwitch, { number, groups, switch: onSwitch }: HostShape): void {
  for (const [i, group] of groups.entries()) target.addInterface(tapOf(number, i, group, onSwitch));
}

/** The tap of one guest, as its hypervisor would plug it. */
export function tapOf(number: number, i: number, group: string, onSwitch = SWITCH): NewInterface {
  const mac = `02:00:${[number >> 8, number & 255, i >> 8, i & 255].map(hex).join(':')}`;
  return {
    bridge: bridgeName(onSwitch),
    name: `tap${i}`,
    mac,
    externalIds: {
      'iface-id': `vm-${number}-${i}`,
      'attached-mac': mac,
      'vm-id': `vm-${number}-${i}`,
      'port-profile': group,
      'iface-status': 'active',
    },
  };
}

const hex = (n: number): string => n.toString(16).padStart(2, '0');
