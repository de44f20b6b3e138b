import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MANAGER_HEAP } from '../../../deploy/quickstart/cluster.js';
import { cpuSeconds, DIST, residentMb } from '../support/cluster.js';

/** What one start took. Seconds; memory in MB when it led. */
export interface Start {
  readonly seconds: number;
  readonly cpuSeconds: number | null;
  readonly residentMb: number | null;
  /** From its start to a log read to the end; what is left is leading. */
  readonly readSeconds: number;
  /** Of the state, as the snapshot says it that the manager leaves when it ends. */
  readonly digest: string;
  readonly revision: number;
}

export async function signingKey(home: string): Promise<string> {
  const path = join(home, 'key.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return path;
}

/** Starts a manager, waits until it leads, and ends it. `env` goes beside its own. */
export async function startOnce(
  natsUrl: string,
  key: string,
  stateDir: string,
  env: NodeJS.ProcessEnv = {},
  dist = DIST,
): Promise<Start> {
  const program = join(dist, 'apps', 'switch-manager', 'src', 'main.js');
  const began = performance.now();
  const child = spawn(process.execPath, [...MANAGER_HEAP, program], {
    env: {
      ...process.env,
      PORTOLAN_NATS_URL: natsUrl,
      PORTOLAN_SIGNING_KEY: key,
      PORTOLAN_STATE_DIR: stateDir,
      PORTOLAN_INSTANCE: 'bench',
      PORTOLAN_CLUSTER: 'bench',
      PORTOLAN_LEASE_MS: '30000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'close');
  const seconds = (): number => (performance.now() - began) / 1000;
  let [readSeconds, leads] = [NaN, false];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('switch-manager runs')) readSeconds = seconds();
      if (line.includes('"level":"warn"') || line.includes('"level":40')) process.stderr.write(`${line}\n`);
      leads ||= line.includes('this copy leads');
      if (leads) break;
    }
    if (!leads) throw new Error('the manager ended before it led');
    const took = seconds();
    const figures = { cpuSeconds: await cpuSeconds(child.pid), residentMb: await residentMb(child.pid) };
    child.stdout.resume();
    child.kill('SIGTERM');
    await gone;
    return { seconds: took, readSeconds, ...figures, ...(await newest(join(stateDir, 'snapshots'))) };
  } finally {
    child.kill('SIGKILL');
  }
}

async function newest(dir: string): Promise<{ readonly digest: string; readonly revision: number }> {
  const name = (await readdir(dir))
    .filter((n) => n.endsWith('.ndjson'))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error('the manager left no snapshot');
  const lines = (await readFile(join(dir, name))).toString('utf8').trimEnd();
  const [, digest] = JSON.parse(lines.slice(lines.lastIndexOf('\n') + 1)) as [string, string];
  const { head } = JSON.parse(lines.slice(0, lines.indexOf('\n'))) as {
    readonly head: { readonly revision: number };
  };
  return { digest, revision: head.revision };
}
