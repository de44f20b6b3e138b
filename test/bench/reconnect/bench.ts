import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { DIST, withCluster, type BenchCluster } from '../support/cluster.js';
import { type Figure, type Bench } from '../support/figure.js';
import { SHORT } from '../support/short.js';
import { spread } from '../support/stats.js';
import { monotonic } from '../support/traffic.js';
import { listening, pause } from '../support/until.js';
import { type ClientsAnswer, type ClientsPlan } from './clients.js';

const HOSTS = SHORT ? 50 : Number(process.env['PORTOLAN_BENCH_HOSTS'] ?? 2000);
/** As a host with fifty ports of as many groups. */
const FOLLOWS = 50;
const PROCESSES = 4;
const TIMES = SHORT ? 1 : 3;
const DOWN_MS = 1_000;

/**
 * What this machine takes to bring so many connections back after nats-server was away, each with the account and the
 * subscriptions of a host, and with nothing to do: no cluster of that size can carry a change out sooner on it.
 */
export const reconnect: Bench = (say) => {
  const accounts = Array.from({ length: HOSTS }, (_, i) => `h${i}`);
  return withCluster({ say, hosts: () => [], accounts, managers: 1 }, async (it) => {
    const server = `nats://127.0.0.1:${it.cluster.options.ports.nats}`;
    const children = Array.from({ length: PROCESSES }, (_, share) => {
      const hosts = accounts.filter((_, i) => i % PROCESSES === share);
      const plan: ClientsPlan = { home: it.home, server, hosts, follows: FOLLOWS };
      const env = { ...process.env, PORTOLAN_RECONNECT: JSON.stringify(plan) };
      return fork(join(DIST, 'test', 'bench', 'reconnect', 'clients.js'), [], {
        env,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
    });
    try {
      await Promise.all(children.map(heard));
      say(`${HOSTS} clients follow ${FOLLOWS + 2} subjects each`);
      const all: number[] = [];
      const last: number[] = [];
      for (let n = 0; n < TIMES; n++) {
        const times = await once(it, children);
        all.push(...times);
        last.push(Math.max(...times));
        await pause(DOWN_MS);
      }
      return [
        figure('from nats-server back to a client back', all),
        figure('from nats-server back to the last client back', last),
      ];
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });
};

async function once(it: BenchCluster, children: readonly ChildProcess[]): Promise<number[]> {
  const answers = children.map(heard);
  await it.cluster.children.kill('nats-server');
  await pause(DOWN_MS);
  await it.cluster.startNats();
  await listening(it.cluster.options.ports.nats);
  const began = monotonic();
  return (await Promise.all(answers)).flatMap((answer) =>
    'back' in answer ? Object.values(answer.back).map((at) => at - began) : [],
  );
}

function heard(child: ChildProcess): Promise<ClientsAnswer> {
  return new Promise((resolve, reject) => {
    child.once('message', (it: ClientsAnswer) => resolve(it));
    child.once('exit', (code, signal) => reject(new Error(`clients ended with ${signal ?? code}`)));
  });
}

const figure = (what: string, times: readonly number[]): Figure => ({
  bench: 'reconnect',
  what: `${HOSTS} connections with nothing behind them: ${what}`,
  unit: 'ms',
  spread: spread([...times]),
});
