import { describe, expect, it } from '@jest/globals';
import { FEATURE_CODES } from '../pipeline/cookies.js';
import { REG } from '../pipeline/registers.js';
import { PIPELINE, type TableName, type TableSpec } from '../pipeline/tables.js';
import { blocksOf, page, walkOf } from './frame-walk.fixture.js';

const declared = (name: string): TableSpec => {
  expect(Object.keys(PIPELINE)).toContain(name);
  return PIPELINE[name as TableName];
};
const REGISTERS = new Map<string, string>(Object.entries(REG).map(([name, field]) => [field, name]));
const all = (text: string, found: RegExp): string[] => [...text.matchAll(found)].map((m) => m[1] ?? '');
const registers = (text: string, found: RegExp): string[] =>
  all(text, found).map((field) => REGISTERS.get(field.toLowerCase()) ?? field);

/** The page shows what a switch said; here it is held to what the tables are declared to be. */
describe('the page that walks a frame', () => {
  const blocks = blocksOf(page());
  const flows = blocks.filter(({ kind }) => kind === 'flows');
  const walks = blocks.filter(({ kind }) => kind === 'walk').map(walkOf);

  it('has flows of every table that its frame meets, under their numbers', () => {
    expect(flows.map(({ name }) => name)).toEqual([...new Set(walks[0])]);
    const headings = [...page().matchAll(/^### ([A-Z_0-9]+) \((\d+)\)$/gm)];
    expect(headings.map(([, name]) => name)).toEqual(flows.map(({ name }) => name));
    for (const [, name = '', number] of headings) expect(declared(name).number).toBe(Number(number));
  });

  it('goes only where a table may lead, or was asked from', () => {
    expect(walks.length).toBeGreaterThan(2);
    for (const walk of walks)
      walk.slice(1).forEach((table, i) => {
        const from = walk.slice(0, i + 1).map(declared);
        const [last] = from.slice(-1);
        const back = last?.path === 'asked' || last?.next.length === 0 ? from : [];
        expect([last, ...back].flatMap((spec) => [...(spec?.next ?? []), ...(spec?.asks ?? [])])).toContain(
          table,
        );
      });
  });

  it.each(flows)('shows flows of $name that do what its declaration says', ({ name, lines }) => {
    const { owners, next, asks = [], reads = [], writes = [] } = declared(name);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const [match = '', actions = ''] = line.split(' actions=');
      const feature = Number.parseInt(/cookie=0x5e7[01]\w{4}(\w\w)/.exec(match)?.[1] ?? '', 16);
      expect(owners.map((owner) => FEATURE_CODES[owner])).toContain(feature);
      expect(match).toContain(name);
      expect(next).toEqual(expect.arrayContaining(all(actions, /goto_table:"?(\w+)/g)));
      expect(asks).toEqual(expect.arrayContaining(all(actions, /resubmit\(,"?(\w+)/g)));
      expect(reads).toEqual(expect.arrayContaining(registers(match, /(reg\d+)=/g)));
      expect(writes).toEqual(expect.arrayContaining(registers(actions, /->(?:NXM_NX_)?(reg\d+)/gi)));
    }
  });
});
