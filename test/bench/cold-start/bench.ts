import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileSnapshots, sha256Hasher } from '#event-store/jetstream';
import { stateDigest, toSnapshot } from '#event-store';
import { clusterRules, CODE_VERSION, stateCodec } from '#runtime';
import { ClusterLife, live } from '../support/life.js';
import { atMost, type Bench, type Figure } from '../support/figure.js';
import { round, spread } from '../support/stats.js';
import { signingKey, startOnce, type Start } from './manager.js';
import { withWorld, writerOf } from './world.js';

const COMMITS = Number(process.env['PORTOLAN_BENCH_COMMITS'] ?? 1_000_000);
const PORTS = Number(process.env['PORTOLAN_BENCH_PORTS'] ?? 10_000);
const SIZE = { hosts: Math.max(10, PORTS / 50), ports: PORTS, groups: Math.max(10, PORTS / 10) };
/** What managers write a snapshot after, by default: a start has as much to read behind one, at most. */
const TAIL = 5_000;
const STARTS = 3;
const TARGET_SECONDS = 5;

/** A manager's start until it leads, from its snapshot and the commits behind it, and from the log alone. */
export const coldStart: Bench = (say) =>
  withWorld(async ({ server, log, home }) => {
    const rules = { codeVersion: CODE_VERSION, state: stateCodec, hasher: sha256Hasher };
    const sequencer = await writerOf(log);
    const life = new ClusterLife(SIZE);
    const began = performance.now();
    await life.build(sequencer);
    await live(life, sequencer, Math.max(0, COMMITS - sequencer.head.revision - TAIL));
    const store = new FileSnapshots(join(home, 'saved', 'snapshots'));
    await store.save(toSnapshot(sequencer.capture(), rules));
    await live(life, sequencer, TAIL);
    await sequencer.close();
    const { revision } = sequencer.head;
    const writeSeconds = (performance.now() - began) / 1000;
    say(`${revision} commits written in ${round(writeSeconds)} s`);
    const digest = stateDigest(sequencer.state, stateCodec, clusterRules.hash);
    const key = await signingKey(home);
    const start = async (what: string, dir: string): Promise<Start> => {
      const it = await startOnce(server.url, key, dir);
      say(`${what}: leads after ${round(it.seconds)} s, ${it.cpuSeconds} s of CPU, ${it.residentMb} MB`);
      if (it.digest !== digest) throw new Error(`${what}: the state differs from the one that was written`);
      return it;
    };
    const [warm, bare]: Start[][] = [[], []];
    for (let i = 0; i < STARTS; i++) {
      const dir = join(home, `snapshot-${i}`);
      await cp(join(home, 'saved'), dir, { recursive: true });
      warm!.push(await start('from the snapshot', dir));
    }
    for (let i = 0; i < (COMMITS > 200_000 ? 1 : 2); i++) {
      const dir = join(home, `bare-${i}`);
      await mkdir(dir);
      bare!.push(await start('from the bare log', dir));
    }
    const detail = { ...SIZE, commits: revision, tail: TAIL, writeSeconds: round(writeSeconds) };
    return [
      figure('start from a snapshot to leading', warm!, { ...detail }, true),
      figure('start from the bare log to leading', bare!, detail, false),
    ];
  });

function figure(what: string, starts: readonly Start[], detail: object, aimed: boolean): Figure {
  const seconds = spread(starts.map((s) => s.seconds));
  const middle = (of: (s: Start) => number | null): number =>
    round(spread(starts.map((s) => of(s) ?? NaN)).p50);
  return {
    bench: 'cold-start',
    what,
    unit: 's',
    spread: seconds,
    ...(aimed ? { target: atMost(TARGET_SECONDS, seconds.p50) } : {}),
    detail: {
      ...detail,
      readSeconds: middle((s) => s.readSeconds),
      cpuSeconds: middle((s) => s.cpuSeconds),
      residentMb: middle((s) => s.residentMb),
    },
  };
}
