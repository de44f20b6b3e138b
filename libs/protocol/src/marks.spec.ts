import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type HostName } from '#kernel';
import { type DocumentKey, type MarkDocument } from '#contracts';
import { bridges, goesOnFrom, type Mark } from './marks.js';
import { recentAfter } from './projector/recent.js';
import { lineageOf } from './simulation/world.js';

const nothing = { shared: [], hosts: [] };
const markOf = (life: string, n: number, rest: Partial<MarkDocument> = {}): MarkDocument =>
  ({ type: 'mark', lineage: lineageOf(1), life, n, ...nothing, ...rest }) as unknown as MarkDocument;

/** What one mark lists: keys of three groups or of three hosts, any number of messages each. */
interface Written {
  readonly key?: string;
  readonly host?: string;
}
const written: fc.Arbitrary<Written> = fc.oneof(
  fc.nat(60).map((i) => ({ key: `s.group.g${i}` })),
  fc.nat(20).map((i) => ({ host: `h${i}` })),
);
const batches = fc.array(fc.record({ isNewLife: fc.boolean(), some: fc.array(written, { maxLength: 50 }) }), {
  minLength: 1,
  maxLength: 40,
});

/** Marks as a stream would hold them, and what stands before each of them. */
function stream(history: readonly { readonly isNewLife: boolean; readonly some: readonly Written[] }[]) {
  const marks: Mark[] = [];
  const messages: (Written & { readonly seq: number })[] = [];
  let [seq, life] = [0, 1];
  for (const { isNewLife, some } of history) {
    if (isNewLife) life += 1;
    const shared = new Map<DocumentKey, number>();
    const hosts = new Map<string, [number, number]>();
    for (const one of some) {
      messages.push({ ...one, seq: (seq += 1) });
      if (one.key !== undefined) shared.set(one.key, seq);
      if (one.host !== undefined) hosts.set(one.host, [(hosts.get(one.host)?.[0] ?? 0) + 1, seq]);
    }
    const lists = {
      shared: [...shared],
      hosts: [...hosts].map(([host, [count, last]]) => [host as HostName, count, last] as const),
    };
    const before = marks.at(-1);
    const recent = before === undefined ? {} : { recent: recentAfter(before, lists) };
    marks.push({
      document: markOf(`life-${life}`, marks.length + 1, { ...lists, ...recent }),
      seq: (seq += 1),
    });
  }
  return { marks, messages };
}

describe('what a mark knows of late', () => {
  it('is all that was written since any mark that it bridges from, whoever wrote it', () => {
    fc.assert(
      fc.property(batches, (history) => {
        const { marks, messages } = stream(history);
        const now = marks.at(-1);
        for (const earlier of marks.slice(0, -1)) {
          if (now === undefined || !bridges(now, earlier)) continue;
          const { shared = [], hosts = [] } = now.document.recent ?? {};
          for (const { key, host, seq } of messages.filter((m) => m.seq > earlier.seq)) {
            if (key !== undefined) expect(shared.find(([k]) => k === key)?.[1]).toBeGreaterThanOrEqual(seq);
            else expect(hosts.find(([h]) => h === host)?.[1]).toBeGreaterThanOrEqual(seq);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('stays small: it goes to every host', () => {
    fc.assert(
      fc.property(batches, (history) => {
        for (const { document } of stream(history).marks) {
          const { marks = [], shared = [], hosts = [] } = document.recent ?? {};
          expect(shared.length + hosts.length).toBeLessThanOrEqual(32);
          expect(marks.length).toBeLessThanOrEqual(8);
        }
      }),
    );
  });

  it('bridges quiet marks of several lives', () => {
    const quiet = (isNewLife: boolean) => ({ isNewLife, some: [] });
    const { marks } = stream([
      { isNewLife: false, some: [{ key: 's.group.g' }] },
      ...[true, false, true].map(quiet),
    ]);
    const [first, , , last] = marks as [Mark, Mark, Mark, Mark];
    expect(bridges(last, first)).toBe(true);
    expect(last.document.recent).toMatchObject({ after: first.seq, shared: [], hosts: [] });
  });

  it('leads from no mark that was lost with the end of the stream, nor from one of another history', () => {
    const { marks } = stream([
      { isNewLife: false, some: [] },
      { isNewLife: true, some: [] },
    ]);
    const now = marks.at(-1)?.document ?? markOf('none', 0);
    expect(goesOnFrom(now, markOf('life-1', 1))).toBe(true);
    expect(goesOnFrom(now, markOf('life-1', 2))).toBe(false);
    expect(goesOnFrom(now, markOf('life-9', 1))).toBe(false);
    expect(goesOnFrom(now, markOf('life-1', 1, { lineage: lineageOf(2) }))).toBe(false);
  });
});
