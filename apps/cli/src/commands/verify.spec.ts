import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { audit, problem } from '../testing/answers.fixture.js';
import { cannedApi, portolan, type CannedApi } from '../testing/run.fixture.js';

describe('verify ledgers', () => {
  let api: CannedApi;
  const cli = (line: string) => portolan(line.split(' '), { server: api.url });
  const lines = (...all: object[]): string => all.map((l) => `${JSON.stringify(l)}\n`).join('');
  const reading = { progress: { read: 0, of: 12 } };
  beforeEach(async () => {
    api = await cannedApi();
  });
  afterEach(() => api.close());

  it('exits with 0 where they agree, and with 1 and each difference where they do not', async () => {
    const wrong = {
      ...audit,
      agree: false,
      differences: [{ port: 'p1', what: 'in.unicast.packets', log: 10_895, shown: 10_910 }],
      faults: [
        { revision: 7, port: 'p2', what: 'segment ["p2","alpha",1,"x"] closes without having opened' },
      ],
      more: 2,
    };
    api.answer(
      'GET /v1/verify/ledgers',
      [200, lines(reading, { audit })],
      [200, lines(reading, { audit: wrong })],
    );
    const good = await cli('verify ledgers');
    const bad = await cli('verify ledgers');
    expect([good.code, bad.code]).toEqual([0, 1]);
    expect(`\n${good.out}\n${bad.out}${bad.err}`).toMatchSnapshot();
  });

  it('fails with what went wrong on the way, or when nothing more comes', async () => {
    const broken = problem('internal', 500, 'revision 7 of the log can’t be read');
    api.answer('GET /v1/verify/ledgers', [200, lines(reading, { problem: broken })], [200, lines(reading)]);
    expect(await cli('verify ledgers')).toMatchObject({
      code: 1,
      err: expect.stringContaining('revision 7'),
    });
    expect(await cli('verify ledgers')).toMatchObject({ code: 5, err: expect.stringContaining('broke off') });
    expect((await cli('verify ledgers x.ndjson --as-of 3')).code).toBe(2);
  });
});
