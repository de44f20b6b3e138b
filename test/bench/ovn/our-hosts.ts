import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { documentVerifier } from '#platform';
import { startHost } from '../scale/agent.js';
import { sharedVerifier } from '../scale/verifier.js';
import { DIST } from '../support/cluster.js';
import { groupsFor } from './our-manifest.js';

interface Plan {
  readonly home: string;
  readonly server: string;
  readonly portsEach: number;
  readonly hosts: readonly { readonly name: string; readonly number: number }[];
}

/** As many as this machine has of processors on which they are measured. */
const PROCESSES = 2;

/** Simulated hosts in processes of their own. Each host has its own agent, connection and account. */
export class OurHosts {
  private constructor(private readonly children: readonly ChildProcess[]) {}

  /** Resolves when the ports of all of them are open. */
  static async start(plan: Plan): Promise<OurHosts> {
    const it = new OurHosts(
      Array.from({ length: PROCESSES }, (_, share) => {
        const hosts = plan.hosts.filter(({ number }) => number % PROCESSES === share);
        const env = { ...process.env, PORTOLAN_OVN_PEERS: JSON.stringify({ ...plan, hosts }) };
        const program = join(DIST, 'test', 'bench', 'ovn', 'our-hosts.js');
        return fork(program, [], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      }),
    );
    try {
      await Promise.all(it.children.map(up));
      return it;
    } catch (cause) {
      await it.stop();
      throw cause;
    }
  }

  get pids(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(this.children.map((child, i) => [`hosts-${i + 1}`, child.pid]));
  }

  /** They end by themselves when nobody is there any more to tell. */
  async stop(): Promise<void> {
    const running = this.children.filter((c) => c.exitCode === null && c.signalCode === null);
    const ended = running.map((child) => once(child, 'exit'));
    for (const child of running) if (child.connected) child.disconnect();
    await Promise.all(ended);
  }
}

function up(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code, signal) => reject(new Error(`hosts ended with ${signal ?? code}`)));
  });
}

async function serve(plan: Plan): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  const verifier = sharedVerifier(await documentVerifier([join(plan.home, 'keys', 'manager.pub.pem')]));
  const names = groupsFor(plan.portsEach);
  const groups = Array.from({ length: plan.portsEach }, (_, i) => names[i % names.length]!);
  for (const shape of plan.hosts) await startHost(plan, { ...shape, groups }, { verifier });
  process.send?.('up');
}

const asked = process.env['PORTOLAN_OVN_PEERS'];
if (asked !== undefined && process.argv[1]?.endsWith('/our-hosts.js')) await serve(JSON.parse(asked) as Plan);
