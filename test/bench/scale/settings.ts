import { asked } from '../support/steps.js';
import { RACK, type ScaleSize } from './plan.js';

/** Parts of the bench, in the order in which they run. */
export const STEPS = ['idle', 'changes', 'burst', 'switch', 'moves', 'takeover', 'outages', 'dead'] as const;
export type Step = (typeof STEPS)[number];

export interface ScaleSettings {
  /** In all, at the end. */
  readonly size: ScaleSize;
  /** Numbers of hosts at which all is measured. */
  readonly stages: readonly number[];
  readonly steps: ReadonlySet<Step>;
  readonly processes: number;
  /** What is not begun by then is not begun any more, ms. */
  readonly limitMs: number;
}

const PORTS_A_HOST = 50;
const GROUPS_A_HOST = 5;
const GROWTH = [1 / 8, 1 / 4, 1 / 2, 1];
/** With more, a collection of all that lives in one stops its hosts for longer than they wait for an answer. */
const HOSTS_A_PROCESS = 500;

/** As `deploy/bin/bench.js` hands its options on. */
export function scaleSettings(env: NodeJS.ProcessEnv): ScaleSettings {
  const hosts = Number(env['PORTOLAN_BENCH_HOSTS'] ?? 1000);
  const size = {
    hosts,
    ports: Number(env['PORTOLAN_BENCH_PORTS'] ?? hosts * PORTS_A_HOST),
    groups: Number(env['PORTOLAN_BENCH_GROUPS'] ?? hosts * GROUPS_A_HOST),
  };
  const inRacks = (part: number): number => Math.max(RACK, Math.round((hosts * part) / RACK) * RACK);
  const grows = env['PORTOLAN_BENCH_GROWTH'] === '1';
  return {
    size,
    stages: grows ? [...new Set(GROWTH.slice(0, -1).map(inRacks)), hosts] : [hosts],
    steps: new Set(asked(STEPS, env)),
    processes: Math.max(2, Math.ceil(hosts / HOSTS_A_PROCESS)),
    limitMs: Number(env['PORTOLAN_BENCH_MINUTES'] ?? 50) * 60_000,
  };
}
