import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReplayReport } from '#contracts/http';
import { startWorld, until, type World } from './cluster.fixture.js';

const DIR = join('test', 'histories');

describe('portolan replay', () => {
  let world: World;
  let folder: string;
  let names: string[];
  beforeAll(async () => {
    world = await startWorld({ guests: [] });
    await until('the API to read how it began', async () => (await world.api.status()).revision > 0);
    folder = await mkdtemp(join(tmpdir(), 'portolan-histories-'));
    names = (await readdir(DIR))
      .filter((f) => f.endsWith('.ndjson'))
      .map((f) => f.slice(0, -'.ndjson'.length));
  });
  afterAll(async () => {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('of every recorded history prints digest and ledgers, and exits 0; the live state stays as it is', async () => {
    const before = (await world.api.status()).digest;
    expect(names.length).toBeGreaterThanOrEqual(5);
    for (const name of names) {
      const expected = JSON.parse(await readFile(join(DIR, `${name}.expected.json`), 'utf8')) as {
        digest: string;
        revision: number;
        ledgers: { port: string; in: number }[];
      };
      const { code, out, err } = await world.cli('replay', join(DIR, `${name}.ndjson`));
      expect([name, code, err]).toEqual([name, 0, '']);
      expect(out).toContain(expected.digest);
      for (const { port } of expected.ledgers) expect(out).toMatch(new RegExp(`^${port} `, 'm'));
      if (name !== 'back-and-forth') continue;
      const json = await world.cli('replay', join(DIR, `${name}.ndjson`), '-o', 'json');
      const report = JSON.parse(json.out) as ReplayReport;
      expect([report.digest, report.revision]).toEqual([expected.digest, expected.revision]);
      const packets = Object.fromEntries(report.ledgers.map((l) => [l.port, l.in.packets]));
      expect(packets).toEqual(Object.fromEntries(expected.ledgers.map((l) => [l.port, l.in])));
    }
    expect((await world.api.status()).digest).toBe(before);
  });

  it('of what can’t be read exits 1 and says revision and reason', async () => {
    const lines = (await readFile(join(DIR, 'completed.ndjson'), 'utf8')).trimEnd().split('\n');
    const cases: [string, string[], RegExp][] = [
      ['corrupt', lines.map((l, i) => (i === 4 ? l.slice(0, 99) : l)), /revision 5 .*JSON/],
      [
        'changed',
        lines.map((l, i) => (i === 1 ? l.replace('"rack":"r1"', '"rack":"r9"') : l)),
        /revision 3 .*chain/,
      ],
      [
        'future',
        lines.map((l, i) => (i === 1 ? l.replace('"GroupDefined","v":2', '"GroupDefined","v":9') : l)),
        /revision 2 .*v9/,
      ],
      ['beheaded', lines.slice(1), /revision 1 .*chain/],
      ['truncated', [...lines.slice(0, 7), lines[7]!.slice(0, 200)], /revision 8 .*JSON/],
    ];
    for (const [name, changed, reason] of cases) {
      const file = join(folder, `${name}.ndjson`);
      await writeFile(file, `${changed.join('\n')}\n`);
      const ran = await world.cli('replay', file);
      expect([name, ran.code]).toEqual([name, 1]);
      expect(ran.err).toMatch(reason);
    }
    expect(await world.cli('replay', join(folder, 'nowhere.ndjson'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('nowhere.ndjson'),
    });
  });

  it('of the cluster’s own export gives the live digest', async () => {
    const file = join(folder, 'own.ndjson');
    expect(await world.cli('export', '-f', file)).toMatchObject({ code: 0 });
    const { out } = await world.cli('replay', file);
    expect(out).toContain((await world.api.status()).digest!);
  });
});
