import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, ROOT, type Ran } from './cluster.fixture.js';

const PAGE = join(ROOT, 'docs', 'testing-with-histories.md');
const JEST = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');

/** The blocks of a language on the page, in order. */
const blocks = (page: string, language: string): string[] =>
  [...page.matchAll(/```(\w*)\n([^]*?)```/g)]
    .filter(([, l]) => l === language)
    .map(([, , text = '']) => text);

describe('a project of its own that tests on a history', () => {
  let dir: string;
  let page: string;
  beforeAll(async () => {
    page = await readFile(PAGE, 'utf8');
    dir = await mkdtemp(join(tmpdir(), 'portolan-outside-'));
    await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
    // What `npm install ../portolan` does.
    await mkdir(join(dir, 'node_modules'));
    await symlink(ROOT, join(dir, 'node_modules', 'portolan'));
    await copyFile(join(ROOT, 'test', 'histories', 'completed.ndjson'), join(dir, 'log.ndjson'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function jest(test: string): Promise<Ran> {
    await writeFile(join(dir, 'moves.test.js'), test);
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    return node([...flags, JEST, '--rootDir', dir, '--colors=false'], {}, '', dir);
  }

  it('passes with the test on the page, and says what is on the page when it fails', async () => {
    const [test = ''] = blocks(page, 'js');
    expect(await jest(test)).toMatchObject({ code: 0, err: expect.stringContaining('1 passed') });

    const other = test
      .replace("destination: 'bravo'", "destination: 'charlie'")
      .replace('{ inexact: 0 }', '{ in: 2000 }');
    const { code, err } = await jest(other);
    expect(code).toBe(1);
    const [said = ''] = blocks(page, '');
    expect(err.replace(/^ {4}/gm, '')).toContain(said.trim());
  });
});
