import { mkdtemp, rm, stat, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { unwrap } from '#kernel';
import { fromSnapshot, InMemoryLog, toSnapshot, type ReplicaState } from '#event-store';
import { type State } from '#domain';
import { FileSnapshots } from '#event-store/jetstream';
import { CODE_VERSION, snapshotRules } from '#runtime';
import { atMost, type Bench, type Figure } from '../support/figure.js';
import { ClusterLife } from '../support/life.js';
import { round, spread } from '../support/stats.js';
import { writerOf } from './world.js';

const PORTS = Number(process.env['PORTOLAN_BENCH_PORTS'] ?? 100_000);
const SIZE = { hosts: PORTS / 50, ports: PORTS, groups: PORTS / 10 };
/** Segments that every port has behind it: as many as are kept. */
const ROUNDS = 7;
const SAVES = 1;
/** A quarter of the shortest lease that makes sense: renewals are due that often. */
const STALL_MS = 500;

/** The snapshot of a large cluster whose ports all have a long history: how large, how long, and what it holds up. */
export const snapshot: Bench = async (say) => {
  const dir = await mkdtemp(join(tmpdir(), 'portolan-bench-'));
  try {
    const sequencer = await writerOf(new InMemoryLog());
    const life = new ClusterLife(SIZE);
    await life.build(sequencer);
    for (let i = 0; i < ROUNDS; i++) await life.rollOverAll(sequencer);
    say(`${PORTS} ports built in ${sequencer.head.revision} commits`);
    const store = new FileSnapshots(dir, 1);
    const [saves, cpu, stalls, loads]: number[][] = [[], [], [], []];
    for (let i = 0; i < SAVES; i++) {
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      const [began, used] = [performance.now(), process.cpuUsage()];
      await store.save(toSnapshot(sequencer.capture(), snapshotRules));
      const { user, system } = process.cpuUsage(used);
      delay.disable();
      saves!.push((performance.now() - began) / 1000);
      cpu!.push((user + system) / 1e6);
      stalls!.push(delay.max / 1e6);
      say(
        `written in ${round(saves!.at(-1)!)} s, ${round(cpu!.at(-1)!)} s of CPU; longest stall ${round(delay.max / 1e6)} ms`,
      );
    }
    const before = performance.now();
    const back = unwrap(await fromSnapshot((await store.load(CODE_VERSION))!, snapshotRules));
    loads!.push((performance.now() - before) / 1000);
    say(`read in ${round(loads!.at(-1)!)} s`);
    if (digestOf(back) !== digestOf(sequencer.capture())) throw new Error('the snapshot is of another state');
    const { size } = await stat(join(dir, (await readdir(dir))[0]!));
    const stall = spread(stalls!);
    const detail = {
      ...SIZE,
      segmentsAPort: ROUNDS + 1,
      megabytes: Math.round(size / 1e6),
      cpuSeconds: round(spread(cpu!).p50),
    };
    const figure = (
      what: string,
      unit: string,
      values: readonly number[],
      more: Partial<Figure> = {},
    ): Figure => ({
      bench: 'snapshot',
      what,
      unit,
      spread: spread(values),
      ...more,
    });
    return [
      figure('longest stall while one is written', 'ms', stalls!, {
        target: atMost(STALL_MS, stall.max),
        detail,
      }),
      figure('written', 's', saves!),
      figure('read', 's', loads!, { detail: { residentMb: Math.round(process.memoryUsage.rss() / 1e6) } }),
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/** As the last line of a snapshot says it: the state is too large for one text. */
function digestOf(captured: ReplicaState<State>): string {
  let last = '';
  for (const line of toSnapshot(captured, snapshotRules).lines) last = line;
  return last;
}
