import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Random } from '#kernel';
import { type MigrationPhase } from '#domain';
import { type StateDocument } from '#contracts';
import { handoverToken } from '../simulation/token.js';
import { World } from '../simulation/world.js';
import { contentOf, sameContent } from './documents.js';
import { projectAll, projectAllInTurns } from './project-all.js';
import { project, withChanges } from './project.js';

const contents = (documents: Iterable<StateDocument>) =>
  [...documents]
    .filter((d) => d.type !== 'tombstone')
    .map(contentOf)
    .sort();

describe('the projection', () => {
  it('of commits one by one is that of the whole state', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const world = new World(random);
        let documents = new Map<string, StateDocument>();
        for (let i = 0; i < 60; i += 1) {
          if (random.chance(0.02)) world.newLineage();
          const { before, after, events } = world.commit();
          const changes = project(before, after, events, documents, handoverToken);
          for (const { document } of changes) expect(document.revision).toBe(after.revision);
          documents = withChanges(documents, changes);
          expect(contents(documents.values())).toEqual(contents(projectAll(after, handoverToken).values()));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('of several commits together, as a standby takes them in, is that of the whole state', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const world = new World(random);
        let documents = new Map<string, StateDocument>();
        for (let i = 0; i < 15; i += 1) {
          const commits = Array.from({ length: 1 + random.below(12) }, () => world.commit());
          const [first, last] = [commits[0]!, commits.at(-1)!];
          const before = { ...first.before, lineage: last.after.lineage };
          const events = commits.flatMap((commit) => commit.events);
          const changes = project(before, last.after, events, documents, handoverToken);
          documents = withChanges(documents, changes);
          expect(contents(documents.values())).toEqual(
            contents(projectAll(last.after, handoverToken).values()),
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leaves what did not change, so that a document keeps the revision of its last change', () => {
    const world = new World(new Random(1));
    const first = world.commit();
    const documents = withChanges(
      new Map(),
      project(first.before, first.after, first.events, new Map(), handoverToken),
    );
    expect(documents.size).toBeGreaterThan(0);
    expect(project(first.after, first.after, first.events, documents, handoverToken)).toEqual([]);
  });

  it('holds orders that nothing may come of any more', () => {
    const world = new World(new Random(1));
    let { after } = world.commit();
    const ordered = () => [...after.migrations.values()].find((m) => m.origin === 'operator');
    for (let i = 0; i < 500 && ordered() === undefined; i += 1) after = world.commit().after;
    const migration = ordered();
    if (migration === undefined) throw new Error('this world has no migrations');
    const order = (phase: MigrationPhase, outcome: 'started' | null): unknown => {
      const ports = migration.ports.map((p) => ({ ...p, activated: true }));
      const migrations = after.migrations.set(migration.id, { ...migration, phase, outcome, ports });
      const documents = projectAll({ ...after, migrations }, handoverToken);
      const host = documents.get(`h.${migration.source}.host`);
      return host?.type === 'host' && host.migrations.find((o) => o.migration === migration.id)?.held;
    };
    expect([order('moving', null), order('moving', 'started')]).toEqual([undefined, undefined]);
    for (const phase of ['switched', 'unknown'] as const)
      expect([order(phase, null), order(phase, 'started')]).toEqual([true, true]);
  });

  it('of many ports lets others have their turn, and gives the same', async () => {
    const world = new World(new Random(1));
    let after = world.commit().after;
    for (let i = 0; i < 60; i += 1) after = world.commit().after;
    const [port] = after.ports.values();
    if (port === undefined) throw new Error('this world has no ports');
    let { ports } = after;
    for (let i = 0; i < 2_000; i += 1) ports = ports.set(`x${i}` as never, { ...port, id: `x${i}` as never });
    let turns = 0;
    const pause = (): Promise<void> => Promise.resolve(void (turns += 1));
    const state = { ...after, ports };
    expect(await projectAllInTurns(state, handoverToken, pause)).toEqual(projectAll(state, handoverToken));
    expect(turns).toBeGreaterThanOrEqual(4);
  });
});

describe('the content of documents', () => {
  it('is the same or not as its text says', () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    const fields = fc.dictionary(fc.constantFrom('a', 'revision', 'minRevision'), value, {
      maxKeys: 3,
    });
    const type = fc.constantFrom('port', 'host', 'tombstone');
    const key = fc.constantFrom('x', 'y');
    const document = fc
      .record({ type, key, fields })
      .map(({ type, key, fields }) => ({ ...fields, type, key }));
    const pair = fc.oneof(
      fc.tuple(document, document),
      document.map((d) => [d, structuredClone({ ...d, revision: 1, absent: undefined })] as const),
    );
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const [one, other] = [a, b] as unknown as [StateDocument, StateDocument];
        const texts = [one, other].map((d) => `${d.type} ${contentOf(d)}`);
        expect(sameContent(one, other)).toBe(texts[0] === texts[1]);
        expect(sameContent(other, one)).toBe(texts[0] === texts[1]);
      }),
    );
  });
});
