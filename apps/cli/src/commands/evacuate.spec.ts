import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as answers from '../testing/answers.fixture.js';
import { cannedApi, NOW, portolan, type CannedApi, type RunOptions } from '../testing/run.fixture.js';

describe('hosts that are to be empty', () => {
  let api: CannedApi;
  const cli = (line: string, options: RunOptions = {}) =>
    portolan(line.split(' '), { server: api.url, ...options });
  beforeEach(async () => {
    api = await cannedApi();
  });
  afterEach(() => api.close());

  describe('evacuate', () => {
    const begun = {
      ...answers.written,
      changed: [{ kind: 'Evacuation', name: 'e1', change: 'created', fields: [] }],
    };
    const running = {
      ...answers.evacuation,
      ...{ phase: 'running', finished: false, remaining: 2 },
      counts: { ...answers.evacuation.counts, moving: 1, moved: 0 },
      guests: [
        {
          ...answers.evacuation.guests[0],
          state: 'moving',
          tries: [{ migration: 'm7', destination: 'bravo', phase: 'moving', reason: null }],
        },
      ],
    };
    beforeEach(() => api.answer('POST /v1/hosts/alpha/evacuate', [200, begun]));

    it('tells VM by VM what happens, each thing once, and exits with 1 when some are left', async () => {
      api.answer('GET /v1/evacuations/e1', [200, running], [200, running], [200, answers.evacuation]);
      const { code, out, err } = await cli('evacuate alpha --to bravo,charlie delta --parallel 1 --wait');
      expect(code).toBe(1);
      expect(`\n${out}${err}`).toMatchSnapshot();
      const { body } = api.asked.find((a) => a.method === 'POST')!;
      expect(JSON.parse(body)).toEqual({ to: ['bravo', 'charlie', 'delta'], parallel: 1 });
    });

    it('says that it goes on when the time is up', async () => {
      let now = NOW;
      api.answer('GET /v1/evacuations/e1', [200, running]);
      const { code, err } = await cli('evacuate alpha --wait=1', { now: () => (now += 400) });
      expect([code, err]).toEqual([
        6,
        'error: evacuation e1 is still running (1 moving, 1 refused); it goes on\n',
      ]);
    });

    it('is aborted by its id, with those on their way where that is said', async () => {
      api.answer('POST /v1/evacuations/e1/abort', [200, answers.written]);
      expect((await cli('abort e1 --abort-running')).code).toBe(0);
      expect(JSON.parse(api.asked.at(-1)!.body)).toEqual({ abortRunning: true });
      expect((await cli('abort m1 --abort-running')).code).toBe(2);
    });
  });

  it('puts a host into maintenance on the version that it read', async () => {
    api.answer('GET /v1/hosts/charlie', [200, answers.host('charlie')]);
    api.answer('POST /v1/apply', [200, answers.written]);
    expect((await cli('host maintenance charlie on --reason fans')).code).toBe(0);
    const { url, body } = api.asked.at(-1)!;
    expect(url).toBe('/v1/apply?reason=fans');
    expect(JSON.parse(body)).toMatchObject({
      resources: [{ kind: 'Host', metadata: { name: 'charlie', version: 2 }, spec: { maintenance: true } }],
    });
    expect((await cli('host maintenance charlie yes')).code).toBe(2);
  });
});
