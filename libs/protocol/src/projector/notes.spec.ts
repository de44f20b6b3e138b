import { describe, expect, it } from '@jest/globals';
import { type HostName, type Revision } from '#kernel';
import { type MarkDocument } from '#contracts';
import { lineageOf } from '../simulation/world.js';
import { concernedBy, notesFor } from './notes.js';

const lineage = lineageOf(1);
const at = 7 as Revision;
const [a, b, c] = ['a', 'b', 'c'] as HostName[] as [HostName, HostName, HostName];

describe('who is told by notes', () => {
  const carrying = (key: string): HostName[] => (key === 's.group.g' ? [b, c] : []);

  it('is whose documents they are, and who carries the shared ones out', () => {
    expect(concernedBy(['h.a.host', 's.group.g', 's.group.none'], carrying, 3)).toEqual(new Set([a, b, c]));
  });

  it('is nobody apart where there are more than may be', () => {
    expect(concernedBy(['h.a.host', 's.group.g'], carrying, 2)).toBeNull();
  });
});

describe('a note', () => {
  const mark = (rest: Partial<MarkDocument>) => ({
    document: {
      lineage,
      life: 'one',
      n: 3,
      prev: 1,
      prevLife: 'one',
      shared: [],
      hosts: [],
      ...rest,
    } as MarkDocument,
    seq: 10,
  });
  const unlisted = [
    ['h.a.host', 11],
    ['s.group.g', 12],
    ['h.a.port.x', 13],
    ['s.group.g', 14],
  ] as const;

  it('counts the host’s own, and names all that is shared, once', () => {
    const [forA, forB] = notesFor([a, b], mark({}), at, unlisted);
    expect(forA).toMatchObject({
      key: 'h.a.note',
      host: 'a',
      lineage,
      revision: 7,
      own: [2, 13],
      shared: [['s.group.g', 14]],
    });
    expect(forB).toMatchObject({ key: 'h.b.note', host: 'b', own: [0, 0], shared: [['s.group.g', 14]] });
  });

  it('goes on from the last mark, and from those before it after which nothing was written', () => {
    expect(notesFor([a], mark({}), at, unlisted)[0]).toMatchObject({ life: 'one', prev: 1, n: 3 });
    const listed = mark({ shared: [['s.group.h', 9]] });
    expect(notesFor([a], listed, at, unlisted)[0]).toMatchObject({ life: 'one', prev: 3, n: 3 });
  });
});
