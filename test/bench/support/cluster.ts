import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Api, until } from '../../../deploy/quickstart/api.js';
import { Cluster, type ClusterOptions, type HostPlan } from '../../../deploy/quickstart/cluster.js';
import { freePorts } from '../../../deploy/quickstart/ports.js';
import { findNatsServer } from '#testing';
import { whenEnded } from './ending.js';

/** `dist`, from where this file stands in it. */
export const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

export interface BenchCluster {
  readonly cluster: Cluster;
  readonly api: Api;
  readonly home: string;
  /** Processes that ended unasked, and how. */
  readonly deaths: readonly string[];
}

/** For who wants to look into what was left: the directory stays, and it is said where. */
const KEEPS = process.env['PORTOLAN_BENCH_KEEP'] === '1';

/** Services as processes, as `npm start` has them, in a directory of its own; taken down afterwards, come what may. */
export async function withCluster<T>(
  options: Pick<ClusterOptions, 'say' | 'env' | 'managers' | 'accounts'> & {
    readonly hosts: (home: string) => Promise<readonly HostPlan[]> | readonly HostPlan[];
  },
  work: (it: BenchCluster) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'portolan-bench-'));
  const [nats = 0, api = 0] = await freePorts(2);
  const deaths: string[] = [];
  const starting = (async () =>
    Cluster.start({
      ...options,
      home,
      dist: DIST,
      natsServer: await findNatsServer(),
      ports: { nats, api },
      hosts: await options.hosts(home),
      onDeath: (name, how) => void deaths.push(`${name} ended: ${how}`),
    }))();
  // Told to end, also while it starts, it leaves neither a server nor its files behind.
  const settled = whenEnded(async () => {
    // One that could not be started has put itself away, and says so to whoever waits for it.
    await starting.then((cluster) => cluster.stop()).catch(() => undefined);
    await putAway(home, options.say);
  });
  try {
    const cluster = await starting;
    try {
      const client = new Api(cluster.api);
      await until('a leader', async () => (await client.status()).leader !== null, 60_000);
      return await work({ cluster, api: client, home, deaths });
    } catch (cause) {
      throw deaths[0] === undefined ? cause : new Error(deaths.join('; '), { cause });
    } finally {
      await cluster.stop();
    }
  } finally {
    await putAway(home, options.say);
    settled();
  }
}

async function putAway(home: string, say: (line: string) => void): Promise<void> {
  if (KEEPS) say(`kept: ${home}`);
  else await rm(home, { recursive: true, force: true });
}

/** Resident memory of a process, MB; null where /proc does not tell. */
export async function residentMb(pid: number | undefined): Promise<number | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
  } catch {
    // Not Linux, or the process is gone.
    return null;
  }
}

/** Processor time that a process has used so far, user and system, s; null where /proc does not tell. */
export async function cpuSeconds(pid: number | undefined): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // After the command's name, which may hold anything: state is field 3, the times are 14 and 15, in 1/100 s.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    // Not Linux, or the process is gone.
    return null;
  }
}
