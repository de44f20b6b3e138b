import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DIST } from '../support/cluster.js';
import { type SwarmPlan } from './plan.js';
import { type SwarmAnswer, type SwarmOrder } from './swarm-orders.js';

/** Hundreds of switches with all their flows live in each. */
const HEAP = '--max-old-space-size=8000';
/** A process that has not ended by then after it was let go has no say in it any more. */
const END_MS = 10_000;

/** The processes that the hosts live in. */
export class Swarm {
  readonly children: readonly ChildProcess[];
  readonly #up = new Set<string>();
  #failed: Error | null = null;
  #stopping = false;

  constructor(
    plan: Omit<SwarmPlan, 'share'>,
    private readonly onUp: (up: number) => void,
  ) {
    this.children = Array.from({ length: plan.processes }, (_, share) => {
      const child = fork(join(DIST, 'test', 'bench', 'scale', 'swarm.js'), [], {
        env: { ...process.env, PORTOLAN_SWARM: JSON.stringify({ ...plan, share } satisfies SwarmPlan) },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [...process.execArgv, HEAP],
      });
      child.setMaxListeners(50);
      child.once('exit', (code, signal) => {
        if (!this.#stopping) this.#failed = new Error(`a process of hosts ended with ${signal ?? code}`);
      });
      return child.on('message', (what: SwarmAnswer) => {
        if (!('up' in what)) return;
        this.#up.add(what.up);
        this.onUp(this.#up.size);
      });
    });
  }

  /** Brings up the hosts `from` up to `to`. How many are up then, or after `ms` those that were begun by then. */
  async grow(from: number, to: number, ms: number): Promise<number> {
    const enough = setTimeout(() => this.children.forEach((child) => child.send({ do: 'enough' })), ms);
    try {
      await this.#all({ do: 'grow', from, to });
      return this.#up.size;
    } finally {
      clearTimeout(enough);
    }
  }

  /** Frames that guests were given to send, after their hosts told their counters. */
  async sentBy(owners: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const answers = await this.#all({ do: 'count', owners });
    return new Map(answers.flatMap(({ sent }) => Object.entries(sent)));
  }

  /** Ends a host without a word. */
  async kill(number: number): Promise<void> {
    await this.#all({ do: 'kill', number });
  }

  /** They end by themselves when nobody is there any more to tell. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = this.children.filter((c) => c.exitCode === null && c.signalCode === null);
    const ended = running.map((child) => once(child, 'exit'));
    for (const child of running) if (child.connected) child.disconnect();
    const late = setTimeout(() => running.forEach((child) => child.kill('SIGKILL')), END_MS);
    await Promise.all(ended);
    clearTimeout(late);
  }

  #all(order: SwarmOrder) {
    if (this.#failed !== null) throw this.#failed;
    return Promise.all(this.children.map((child) => asked(child, order)));
  }
}

function asked(child: ChildProcess, order: SwarmOrder): Promise<Extract<SwarmAnswer, { done: unknown }>> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: NodeJS.Signals | null): void =>
      reject(new Error(`a process of hosts ended with ${signal ?? code}`));
    const heard = (what: SwarmAnswer): void => {
      if (!('done' in what) || what.done !== order.do) return;
      child.off('message', heard).off('exit', ended);
      resolve(what);
    };
    child.on('message', heard).once('exit', ended);
    child.send(order);
  });
}
