import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from '../../deploy/quickstart/api.js';
import { freePorts } from '../../deploy/quickstart/ports.js';
import { type Figures } from '../../deploy/quickstart/story.js';
import { LIMIT_MS, collect, node, portolan, ROOT, until, type Ran } from './cluster.fixture.js';

const START = join(ROOT, 'deploy', 'bin', 'start.js');
const linux = process.platform === 'linux';

/** Ids of the processes whose command line or environment speaks of a directory: whoever belongs to that cluster. */
async function processesOf(home: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const texts = await Promise.all(
    pids.map(async (pid) => {
      const files = [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`];
      // A process may end while it is looked at.
      const parts = await Promise.all(files.map((f) => readFile(f, 'utf8').catch(() => '')));
      return parts.join('\0');
    }),
  );
  return pids.filter((_, i) => texts[i]!.includes(home));
}

describe('npm start -- --once', () => {
  it('plays the whole story, prints figures that agree as one line of JSON, and exits 0', async () => {
    const { code, out, err } = await node([START, '--once']);
    expect([code, err]).toEqual([0, expect.stringContaining('web-1 moved from bravo to charlie')]);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    const figures = JSON.parse(out) as Figures;
    expect(figures.agree).toBe(true);
    expect(figures.packetsSent).toBeGreaterThanOrEqual(6_000);
    expect(figures.packetsInLedger).toBe(figures.packetsSent);
    expect(figures.replayedDigest).toBe(figures.liveDigest);
    expect(figures.hostsRealised).toBe(figures.hostsConcerned);
  });

  it('refuses an argument that it does not know', async () => {
    expect(await node([START, '--twice'])).toMatchObject({ code: 2, err: expect.stringContaining('--once') });
  });
});

describe('npm start', () => {
  let home: string;
  let env: NodeJS.ProcessEnv;
  let api: Api;
  let child: ChildProcess | undefined;
  let ran: Promise<Ran>;
  let ledgers: Map<string, number>;
  let lineage: string | null;
  let revision: number;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'portolan-start-'));
    const [nats = 0, port = 0] = await freePorts(2);
    env = { PORTOLAN_HOME: home, PORTOLAN_NATS_PORT: String(nats), PORTOLAN_API_PORT: String(port) };
    api = new Api(`http://127.0.0.1:${port}`);
  });
  afterAll(async () => {
    if (child?.exitCode === null) {
      child.kill('SIGINT');
      await ran;
    }
    if (linux) for (const pid of await processesOf(home)) process.kill(pid, 'SIGKILL');
    await rm(home, { recursive: true, force: true });
  });

  /** Starts, and resolves with what it said when it says that all runs. */
  async function start(): Promise<string> {
    child = spawn(process.execPath, [START], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr!.on('data', (text: Buffer) => (said += text.toString()));
    ran = collect(child);
    await until(
      'the start to say that all runs',
      async () => {
        if (child!.exitCode !== null) throw new Error(`it ended: ${said}`);
        return said.includes('Ctrl-C stops everything');
      },
      LIMIT_MS,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${said}`, { cause: error });
    });
    return said;
  }

  const counted = async (): Promise<Map<string, number>> => {
    const ports = (await api.ports()).items
      .filter((p) => p.status.connectee !== null)
      .map((p) => p.metadata.name);
    const stats = await Promise.all(ports.map(async (p) => [p, (await api.stats(p)).in.packets] as const));
    return new Map(stats);
  };

  it('brings everything up, and the five commands that it suggests work', async () => {
    const said = await start();
    expect(said).toContain(api.base);
    const suggested = [...said.matchAll(/^ {2}npx portolan (.*)$/gm)].map((m) => m[1]!.split(' '));
    expect(suggested).toHaveLength(5);
    for (const words of suggested) {
      expect(words.slice(0, 2)).toEqual(['--server', api.base]);
      const args = words.slice(2);
      // These two stay until Ctrl-C.
      if (args.includes('--watch') || args.includes('--follow')) {
        const watching = spawn(process.execPath, [join(ROOT, 'deploy', 'bin', 'portolan.js'), ...words], {
          cwd: ROOT,
        });
        const ended = collect(watching);
        await once(watching.stdout, 'data');
        watching.kill('SIGINT');
        expect(await ended).toMatchObject({ code: 0, out: expect.stringMatching(/web-1|revision|port/) });
        continue;
      }
      const { code, out, err } = await portolan(api.base, ...args);
      expect([args, code, err]).toEqual([args, 0, '']);
      if (args[0] === 'get') expect(out).toMatch(/web-1-eth0|web-1/);
      if (args[0] === 'status') expect(out).toMatch(/manager-[12]/);
      if (args[0] === 'migrate') expect(out).toMatch(/completed in/);
    }
  });

  it('refuses a second cluster in the same directory, naming the process that has it', async () => {
    const second = await node([START], env);
    expect(second.code).not.toBe(0);
    expect(second.err).toContain(`(process ${child!.pid})`);
    await until('the first to be led', async () => (await api.status()).leader !== null);
  });

  it('refuses a port in use, naming it and the variable that moves it', async () => {
    const other = await mkdtemp(join(tmpdir(), 'portolan-start-'));
    const second = await node([START], { ...env, PORTOLAN_HOME: other });
    await rm(other, { recursive: true });
    expect(second.code).not.toBe(0);
    expect(second.err).toMatch(
      new RegExp(`port (${env['PORTOLAN_API_PORT']}|${env['PORTOLAN_NATS_PORT']}) .*in use`),
    );
    expect(second.err).toMatch(/set PORTOLAN_(API|NATS)_PORT to another/);
  });

  it('ends everything with Ctrl-C: no process left, the ports free', async () => {
    ledgers = await counted();
    ({ lineage, revision } = await api.status());
    child!.kill('SIGINT');
    expect((await ran).code).toBe(0);
    if (linux) expect(await processesOf(home)).toEqual([]);
    for (const port of [env['PORTOLAN_API_PORT'], env['PORTOLAN_NATS_PORT']]) {
      const probe = createServer().listen(Number(port), '127.0.0.1');
      await once(probe, 'listening');
      probe.close();
    }
  });

  it('finds its data again at the next start: the same history, ports and ledgers', async () => {
    expect(await start()).toContain('found the data of the last start');
    const now = await api.status();
    expect(now.lineage).toBe(lineage);
    expect(now.revision).toBeGreaterThanOrEqual(revision);
    expect(ledgers.size).toBe(3);
    // The hosts were restarted: what the meters had counted stands in the ledger, and it goes on from there.
    await until('the ledgers to go on', async () => {
      const grown = await counted();
      for (const [port, before] of ledgers) expect(grown.get(port)).toBeGreaterThanOrEqual(before);
      return [...ledgers].some(([port, before]) => grown.get(port)! > before);
    });
  });

  (linux ? it : it.skip)(
    'killed with SIGKILL it leaves no service behind, and the next start works',
    async () => {
      child!.kill('SIGKILL');
      await ran;
      // nats-server knows nothing of us; the next start ends it.
      const left = await until('the services to end', async () => {
        const pids = await processesOf(home);
        return pids.length <= 1 ? pids : null;
      });
      for (const pid of left) expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain('nats-server');
      expect(await start()).toContain('ended a nats-server that an earlier start left behind');
      expect((await api.status()).lineage).toBe(lineage);
      child!.kill('SIGTERM');
      expect((await ran).code).toBe(0);
      expect(await processesOf(home)).toEqual([]);
    },
  );
});
