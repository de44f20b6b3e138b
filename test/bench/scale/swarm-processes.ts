import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DIST } from '../support/cluster.js';
import { type SwarmPlan } from './plan.js';

/** Hundreds of switches with all their flows live in each. */
const HEAP = '--max-old-space-size=6000';

/** The processes that the hosts live in. */
export class Swarm {
  readonly children: readonly ChildProcess[];
  #up = 0;
  readonly #built: Promise<unknown>;

  constructor(plan: Omit<SwarmPlan, 'share'>, onUp: (swarm: Swarm, up: number) => void) {
    this.children = Array.from({ length: plan.processes }, (_, share) => {
      const child = fork(join(DIST, 'test', 'bench', 'scale', 'swarm.js'), [], {
        env: { ...process.env, PORTOLAN_SWARM: JSON.stringify({ ...plan, share } satisfies SwarmPlan) },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [...process.execArgv, HEAP],
      });
      return child.on('message', (what) => {
        if (what === 'up') onUp(this, (this.#up += 1));
      });
    });
    this.#built = Promise.all(this.children.map(told));
  }

  /** How many are up, when all are, or after `ms` those that were begun by then. */
  async built(ms: number): Promise<number> {
    const enough = setTimeout(() => this.children.forEach((child) => child.send('enough')), ms);
    try {
      await this.#built;
      return this.#up;
    } finally {
      clearTimeout(enough);
    }
  }

  /** They end by themselves when nobody is there any more to tell. */
  async stop(): Promise<void> {
    const ended = this.children.filter((c) => c.exitCode === null).map((child) => once(child, 'exit'));
    for (const child of this.children) if (child.connected) child.disconnect();
    await Promise.all(ended);
  }
}

function told(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (what) => {
      if (what === 'done') resolve();
    });
    child.once('exit', (code, signal) => reject(new Error(`hosts ended with ${signal ?? code}`)));
  });
}
