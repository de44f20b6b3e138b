import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unwrap } from '#kernel';
import {
  encodeBytes,
  sealDocument,
  type Checkpoint,
  type FactBatch,
  type MarkDocument,
  type Report,
  type Signer,
} from '#contracts';
import { seal, type StoredMessage } from '#event-store';
import { documentSigner, handoverTokens } from '#platform';
import { project, projectAll } from '#protocol';
import { archiveIn, clusterRules, snapshotRules } from '#runtime';
import { withWorld, writerOf } from './cold-start/world.js';
import { type Bench, type Figure } from './support/figure.js';
import { ClusterLife, live, type Deed } from './support/life.js';
import { round, spread } from './support/stats.js';

/** What sizes are measured on; what they are multiplied with is `CLUSTER`. */
const SIZE = { hosts: 200, ports: 10_000, groups: 1_000 };
const COMMITS = 20_000;
const CLUSTER = { hosts: 2_000, ports: 100_000 };
const YEAR_DAYS = 365;
const DAY_S = 86_400;

/** How often a day. Each deed is as many commits as it takes: a migration seven, a guest plugged out and in four. */
const A_DAY: Readonly<Record<Exclude<Deed, 'build'>, number>> = {
  migration: 10_000 * 7,
  binding: 5_000 * 4,
  policy: 2_000,
  // Each host's switch is restarted once a month: every port of it rolls its counters over.
  ledger: CLUSTER.ports / 30,
  drift: 1_000,
  // At most one a second, and only after a change that hosts had to carry out.
  realised: Math.min(DAY_S, 10_000 * 7 + 5_000 * 4 + 2_000),
};
/** As agents and managers have them by default. */
const CHECKPOINT_S = 30;
const REPORT_S = 5;
const MARK_S = 1;

interface Sizes {
  commits: number;
  bytes: number;
  /** Documents that these commits change, as they travel: signed. */
  documents: number;
  documentBytes: number;
  /** What hosts sent for them. */
  factBytes: number;
}

/** What a year of a large cluster weighs: sizes measured on real commits and documents, times rates that are stated. */
export const year: Bench = (say) =>
  withWorld(async ({ log, home }) => {
    const key = join(home, 'key.pem');
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(key, pem, { mode: 0o600 });
    const [signer, token] = [await documentSigner(key), await handoverTokens(key)];
    const sequencer = await writerOf(log);
    const life = new ClusterLife(SIZE);
    await life.build(sequencer);
    const begin = sequencer.head.seq;
    const documents = projectAll(sequencer.state, token);
    const standing = [...documents.values()].map((d) => sealDocument(d, signer).length);
    const deeds = new Map<number, Deed>();
    const sizes = new Map<Deed, Sizes>();
    const of = (deed: Deed): Sizes => {
      const found = sizes.get(deed) ?? { commits: 0, bytes: 0, documents: 0, documentBytes: 0, factBytes: 0 };
      sizes.set(deed, found);
      return found;
    };
    const changed = new Map<number, readonly [number, number]>();
    sequencer.onCommit((commit, before, after) => {
      const changes = project(before, after, commit.events, documents, token);
      for (const { key: k, document } of changes) documents.set(k, document);
      changed.set(commit.revision, [
        changes.length,
        bytesOf(
          changes.map((c) => c.document),
          signer,
        ),
      ]);
    });
    await live(life, sequencer, COMMITS, ({ deed, command }, { revision, events }) => {
      if (events.length > 0) deeds.set(revision, deed);
      if (command.type !== 'IngestFacts') return;
      const { type: _, ...batch } = command;
      of(deed).factBytes += encodeBytes({ schema: 1, ...batch } as unknown as FactBatch).length;
    });
    await sequencer.close();
    for await (const batch of log.read(begin + 1)) for (const m of batch) count(m, deeds, changed, of);
    // What a stream adds to a message: its subject, headers, times and a checksum.
    const { messages, bytes } = (await log.jsm.streams.info('LOG')).state;
    const all = await total(log);
    const overhead = bytes / messages - all / messages;
    const archive = archiveIn(join(home, 'archive'));
    const how = { by: 'bench', reason: 'measured', before: Infinity, clock: { now: () => 0 } };
    const segment = unwrap(
      await seal({ log, archive, rules: clusterRules, snapshots: snapshotRules, ...how }),
    );
    const packed = segment.fileBytes / segment.bytes;
    say(
      `${segment.messages} messages of ${round(all / messages)} bytes, ${round(overhead)} more in the stream, packed to ${round(packed)}`,
    );
    return figures(sizes, overhead, packed, standing, markBytes(signer));
  });

const bytesOf = (documents: readonly Parameters<typeof sealDocument>[0][], signer: Signer): number =>
  documents.reduce((sum, d) => sum + sealDocument(d, signer).length, 0);

async function total(log: { read(from: number): AsyncIterable<readonly StoredMessage[]> }): Promise<number> {
  let bytes = 0;
  for await (const batch of log.read(1)) for (const m of batch) bytes += m.bytes.length;
  return bytes;
}

function count(
  { bytes }: StoredMessage,
  deeds: ReadonlyMap<number, Deed>,
  changed: ReadonlyMap<number, readonly [number, number]>,
  of: (deed: Deed) => Sizes,
): void {
  const { revision } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly revision: number };
  const deed = deeds.get(revision);
  if (deed === undefined) return;
  const it = of(deed);
  const [documents, documentBytes] = changed.get(revision) ?? [0, 0];
  it.commits += 1;
  it.bytes += bytes.length;
  it.documents += documents;
  it.documentBytes += documentBytes;
}

function figures(
  sizes: ReadonlyMap<Deed, Sizes>,
  overhead: number,
  packed: number,
  standing: readonly number[],
  mark: number,
): Figure[] {
  const gb = (bytesADay: number): number => (bytesADay * YEAR_DAYS) / 1e9;
  const figure = (what: string, value: number, detail: object = {}): Figure => ({
    bench: 'year',
    what,
    unit: 'GB',
    spread: spread([value]),
    detail: { ...detail },
  });
  const list: Figure[] = [];
  let [log, lines, written, facts] = [0, 0, 0, 0];
  for (const [deed, aDay] of Object.entries(A_DAY)) {
    const s = sizes.get(deed as Deed);
    if (s === undefined || s.commits === 0) throw new Error(`no ${deed} was measured`);
    const each = s.bytes / s.commits;
    log += aDay * (each + overhead);
    lines += aDay * (each + 1);
    written += (aDay * s.documentBytes) / s.commits;
    facts += (aDay * s.factBytes) / s.commits;
    const documents = round(s.documents / s.commits);
    const detail = { commitsADay: Math.round(aDay), bytesEach: Math.round(each), documentsEach: documents };
    list.push(figure(`log: ${deed} commits`, gb(aDay * (each + overhead)), detail));
  }
  const perPort = standing.reduce((a, b) => a + b, 0) / SIZE.ports;
  const checkpoint = checkpointBytes(CLUSTER.ports / CLUSTER.hosts);
  const report = reportBytes();
  const sent = (bytes: number, seconds: number): number => gb((bytes * CLUSTER.hosts * DAY_S) / seconds);
  return [
    ...list,
    figure('log: all of a year, in the stream', gb(log), {
      commitsADay: Object.values(A_DAY).reduce((a, b) => a + b, 0),
    }),
    figure('log: the same, archived', gb(lines) * packed, { ratio: round(packed) }),
    figure('documents: what stands (does not grow)', (perPort * CLUSTER.ports) / 1e9, {
      bytesAPort: Math.round(perPort),
    }),
    figure('documents: written over', gb(written)),
    figure('marks: written over, one a second at least', gb((mark * DAY_S) / MARK_S), { bytesEach: mark }),
    figure('checkpoints: what stands (does not grow)', (checkpoint * CLUSTER.hosts) / 1e9, {
      bytesEach: checkpoint,
    }),
    figure('checkpoints: written over', sent(checkpoint, CHECKPOINT_S), { everySeconds: CHECKPOINT_S }),
    figure('reports: sent, kept nowhere', sent(report, REPORT_S), {
      bytesEach: report,
      everySeconds: REPORT_S,
    }),
    figure('facts: what stands, a day of them', facts / 1e9, { days: 1 }),
  ];
}

/** Of a host with so many ports, each with six counters that have grown for a while. */
function checkpointBytes(ports: number): number {
  const some = { packets: 123_456_789, bytes: 98_765_432_109 };
  const direction = { unicast: some, multicast: some, broadcast: some };
  const incarnation = 'f1d27571-8d39-4b03-bf4d-efba2140ded4';
  const raw = { in: direction, out: direction };
  const dropped = { in: 12_345, out: 12_345 };
  const counters = Array.from({ length: ports }, (_, i) => ({
    port: `p${90_000 + i}`,
    epoch: 21,
    incarnation,
    raw,
    dropped,
  }));
  const checkpoint = { schema: 1, host: 'host-1234', boot: incarnation, time: Date.now(), counters };
  return encodeBytes(checkpoint as unknown as Checkpoint).length;
}

/** As every second brings it when nothing was written. */
function markBytes(signer: Signer): number {
  const id = 'f1d27571-8d39-4b03-bf4d-efba2140ded4';
  const mark = {
    type: 'mark',
    schema: 1,
    key: 's.mark',
    lineage: id,
    revision: 1_000_000,
    n: 1_000_000,
    life: id,
  };
  const rest = { prev: 999_999, prevLife: id, shared: [], hosts: [], time: Date.now() };
  return sealDocument({ ...mark, ...rest } as unknown as MarkDocument, signer).length;
}

function reportBytes(): number {
  const lineage = 'f1d27571-8d39-4b03-bf4d-efba2140ded4';
  const report = {
    schema: 1,
    host: 'host-1234',
    lineage,
    boot: lineage,
    realised: 1_000_000,
    received: 1_000_000,
  };
  const rest = { exceptions: [], time: Date.now(), n: 123_456, version: '0.1.0', driver: 'openvswitch' };
  return encodeBytes({ ...report, ...rest } as unknown as Report).length;
}
