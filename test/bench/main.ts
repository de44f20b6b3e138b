import { agentMemory } from './agent-memory.js';
import { append } from './append.js';
import { coldStart } from './cold-start/bench.js';
import { bind } from './bind/bench.js';
import { bundle } from './bundle.js';
import { command } from './command.js';
import { forbidden } from './forbidden/bench.js';
import { outage } from './outage/bench.js';
import { datapath } from './datapath.js';
import { drift } from './drift/bench.js';
import { ovn } from './ovn/bench.js';
import { ovnSimulated } from './ovn/simulated.js';
import { idle } from './idle.js';
import { migration } from './migration/bench.js';
import { policyOvs } from './policy-ovs.js';
import { replay } from './replay.js';
import { snapshot } from './cold-start/snapshot.js';
import { reconnect } from './reconnect/bench.js';
import { restart } from './restart/bench.js';
import { scale } from './scale/bench.js';
import { type Bench } from './support/figure.js';
import { teaming } from './teaming.js';
import { year } from './year.js';

/** Every bench by its name, in the order in which they run; each in a process of its own. */
export const BENCHES: Readonly<Record<string, Bench>> = {
  append,
  replay,
  command,
  'policy-ovs': policyOvs,
  ovn,
  'ovn-simulated': ovnSimulated,
  forbidden,
  bind,
  bundle,
  datapath,
  restart,
  migration,
  idle,
  drift,
  teaming,
  outage,
  reconnect,
  scale,
  'agent-memory': agentMemory,
  'cold-start': coldStart,
  snapshot,
  year,
};

/** Runs one bench; progress to stderr, its figures as a line of JSON to stdout. */
export async function runBench(name: string): Promise<void> {
  const bench = BENCHES[name];
  if (bench === undefined) throw new Error(`no bench ${name}; there are ${Object.keys(BENCHES).join(', ')}`);
  const figures = await bench((line) => process.stderr.write(`${name}: ${line}\n`));
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

if (process.argv[1]?.endsWith('/bench/main.js')) await runBench(process.argv[2] ?? '');
