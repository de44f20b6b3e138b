import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type StateDocument } from '#contracts';
import { Random } from '../simulation/random.js';
import { World } from '../simulation/world.js';
import { contentOf } from './documents.js';
import { projectAll } from './project-all.js';
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
          const changes = project(before, after, events, documents);
          for (const { document } of changes) expect(document.revision).toBe(after.revision);
          documents = withChanges(documents, changes);
          expect(contents(documents.values())).toEqual(contents(projectAll(after).values()));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leaves what did not change, so that a document keeps the revision of its last change', () => {
    const world = new World(new Random(1));
    const first = world.commit();
    const documents = withChanges(new Map(), project(first.before, first.after, first.events, new Map()));
    expect(documents.size).toBeGreaterThan(0);
    expect(project(first.after, first.after, first.events, documents)).toEqual([]);
  });
});
