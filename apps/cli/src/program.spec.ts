import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Schema from 'typebox/schema';
import * as Api from '#contracts/http';
import * as answers from './testing/answers.fixture.js';
import { cannedApi, portolan, type CannedApi, type RunOptions } from './testing/run.fixture.js';

process.env['TZ'] = 'UTC';
const { listOf, problem } = answers;

describe('portolan', () => {
  let api: CannedApi;
  const cli = (line: string, options: RunOptions = {}) =>
    portolan(line.split(' ').filter(Boolean), { server: api.url, ...options });
  beforeAll(async () => {
    api = await cannedApi();
    api.answer('GET /v1/hosts', [
      200,
      listOf(answers.host('alpha'), answers.host('bravo'), answers.deadHost),
    ]);
    api.answer('GET /v1/hosts/charlie', [200, answers.deadHost]);
    api.answer('GET /v1/groups', [200, listOf(answers.group)]);
    api.answer('GET /v1/groups/web', [200, answers.group]);
    api.answer('GET /v1/switches', [200, listOf(answers.sw)]);
    api.answer('GET /v1/switches/prod', [200, answers.sw]);
    api.answer('GET /v1/ports', [200, listOf(answers.port)]);
    api.answer('GET /v1/ports/p1', [200, answers.description]);
    api.answer('GET /v1/migrations', [200, listOf(answers.migration('completed', 5))]);
    const { guests: _guests, ...listed } = answers.evacuation;
    api.answer('GET /v1/evacuations', [200, listOf(listed)]);
    api.answer('GET /v1/evacuations/e1', [200, answers.evacuation]);
    api.answer('GET /v1/migrations/m1', [200, answers.migration('completed', 5)]);
    api.answer('GET /v1/stats/ports', [200, listOf(answers.stats)]);
    for (const path of ['', '?group=web'])
      api.answer(`GET /v1/stats/groups${path}`, [200, listOf(answers.groupStats)]);
    api.answer('GET /v1/stats/uplinks', [200, listOf(answers.uplink)]);
    api.answer('GET /v1/ports/p1/history', [200, answers.history]);
    api.answer('GET /v1/sets', [200, listOf(answers.addressSet, answers.portSet)]);
    api.answer('GET /v1/sets/office', [200, answers.addressSet]);
    api.answer('GET /v1/sets/tier', [200, answers.portSet]);
    api.answer('GET /v1/logs?limit=50', [200, answers.ruleLog]);
    api.answer('GET /v1/status', [200, answers.status]);
    api.answer('GET /v1/events', [200, answers.events]);
  });
  afterAll(() => api.close());

  it('is tested with answers that the contract allows', () => {
    const pairs = [
      [Api.HostView, answers.deadHost],
      [Api.GroupView, answers.group],
      [Api.SwitchView, answers.sw],
      [Api.SetView, answers.addressSet],
      [Api.SetView, answers.portSet],
      [Api.PortDescription, answers.description],
      [Api.MigrationDescription, answers.migration('completed', 5)],
      [Api.EvacuationDescription, answers.evacuation],
      [Api.LedgerAudit, answers.audit],
      [Api.PortStats, answers.stats],
      [Api.GroupStats, answers.groupStats],
      [Api.UplinkStats, answers.uplink],
      [Api.PortHistory, answers.history],
      [Api.Status, answers.status],
      [Api.EventList, answers.events],
      [Api.RuleLogList, answers.ruleLog],
      [Api.WriteResult, { ...answers.written, realised: answers.notRealised }],
    ] as const;
    for (const [schema, value] of pairs) expect(Schema.Errors(schema, value)).toEqual([true, []]);
  });

  it.each([
    'hosts',
    'get groups',
    'get switches',
    'get ports',
    'get sets',
    'migrations',
    'stats',
    'stats --uplinks',
    'stats --rules',
    'logs',
    'stats history p1',
    'status',
    'events',
    'describe host charlie',
    'describe group web',
    'describe switch prod',
    'describe port p1',
    'describe set office',
    'describe portset tier',
    'describe migration m1',
    'evacuations',
    'describe evacuation e1',
    'get group web -o yaml',
  ])('%s', async (line) => {
    const { code, out, err } = await cli(line);
    expect([code, err]).toEqual([0, '']);
    for (const text of out.split('\n')) expect(text.length).toBeLessThanOrEqual(100);
    expect(`\n${out}`).toMatchSnapshot();
  });

  it('gives programs the data as the server gave it', async () => {
    const { out } = await cli('get ports -o json');
    expect(JSON.parse(out)).toEqual(listOf(answers.port));
    expect((await cli('get groups -o yaml')).out).toMatch(
      /^---\napiVersion: portolan\.dev\/v1\nkind: PortGroup\n/,
    );
  });

  it('reads all pages', async () => {
    const page = (name: string, next: string | null) => ({ ...listOf(answers.host(name)), next });
    api.answer('GET /v1/hosts?after=alpha', [200, page('bravo', null)]);
    api.answer('GET /v1/hosts', [200, page('alpha', 'alpha')], [200, listOf()]);
    expect((await cli('hosts')).out).toMatch(/alpha[^]*bravo/);
  });

  describe('apply', () => {
    const files = { 'web.yaml': 'kind: PortGroup' };

    it('prints what changed, the revision, and where it is realised', async () => {
      api.answer('POST /v1/apply?wait=30', [200, { ...answers.written, realised: answers.realised }]);
      const { code, out } = await cli('apply -f web.yaml --wait', { files });
      expect(code).toBe(0);
      expect(`\n${out}`).toMatchSnapshot();
      const { headers, body } = api.asked.at(-1)!;
      expect(headers).toMatchObject({ 'content-type': 'application/yaml' });
      expect(headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
      expect(body).toBe('kind: PortGroup');
    });

    it('names the hosts that are not there, and exits with 6', async () => {
      api.answer('POST /v1/apply?wait=5', [200, { ...answers.written, realised: answers.notRealised }]);
      const { code, out, err } = await cli('apply -f web.yaml --wait=5', { files });
      expect(code).toBe(6);
      expect(`\n${out}${err}`).toMatchSnapshot();
    });

    it('names every wrong field on standard error, and exits with 1', async () => {
      const errors = [
        {
          field: 'PortGroup/web spec.policy.vlan.id',
          value: '4095',
          reason: 'is not a VLAN id (line 7, column 20)',
          expected: 'an integer from 1 to 4094',
        },
        {
          field: 'PortGroup/web spec.colour',
          value: '"red"',
          reason: 'is not a known field (line 9, column 3)',
        },
      ];
      api.answer('POST /v1/apply', [422, problem('invalid', 422, '2 things are wrong', errors)]);
      const { code, out, err } = await cli('apply -f web.yaml', { files });
      expect([code, out]).toEqual([1, '']);
      expect(`\n${err}`).toMatchSnapshot();
    });

    it('says what a dry run would do', async () => {
      api.answer('POST /v1/apply?dryRun=true', [200, { ...answers.written, dryRun: true }]);
      const { out } = await cli('apply -f web.yaml --dry-run --wait', { files });
      expect(out).toContain('dry run: 6 changes, 7 unchanged; nothing was done (decided on revision 12)');
    });
  });

  describe('migrate', () => {
    const begun = {
      ...answers.written,
      changed: [{ kind: 'Migration', name: 'm1', change: 'created', fields: [] }],
    };

    it('shows it phase by phase', async () => {
      api.answer('POST /v1/migrations', [200, begun]);
      api.answer(
        'GET /v1/migrations/m1',
        [200, answers.migration('prepared', 2)],
        [200, answers.migration('completed', 5)],
      );
      const { code, out } = await cli('migrate vm-a --to bravo --wait');
      expect(code).toBe(0);
      expect(`\n${out}`).toMatchSnapshot();
      expect(api.asked.some((a) => a.body === '{"owner":"vm-a","destination":"bravo"}')).toBe(true);
    });

    it('fails when it was aborted, with the reason', async () => {
      api.answer('GET /v1/migrations/m1', [200, answers.migration('aborted', 5, 'bravo lost its uplink')]);
      const { code, err } = await cli('migrate vm-a --to bravo --wait');
      expect([code, err]).toEqual([
        1,
        'error: migration m1 aborted: bravo lost its uplink; vm-a stays on alpha\n',
      ]);
    });

    it('stops looking after the time given, and exits with 6', async () => {
      let now = 0;
      api.answer('GET /v1/migrations/m1', [200, answers.migration('moving', 3)]);
      const { code, err } = await cli('migrate vm-a --to bravo --wait=1', { now: () => (now += 400) });
      expect(code).toBe(6);
      expect(err).toContain('still moving after 1 s; it goes on');
    });
  });

  it('gives up a host, with a reason', async () => {
    api.answer('POST /v1/hosts/alpha/give-up-counters', [200, answers.written]);
    expect(await cli('host give-up alpha --reason burnt')).toMatchObject({ code: 0 });
    expect(api.asked.some((a) => a.body === '{"reason":"burnt"}')).toBe(true);
    expect(await cli('host give-up alpha --dead --reason burnt')).toMatchObject({ code: 0 });
    expect(api.asked.at(-1)?.body).toBe('{"dead":true,"reason":"burnt"}');
    expect(await cli('host dead alpha --fenced --reason off')).toMatchObject({ code: 0 });
    expect(JSON.parse(api.asked.at(-1)?.body ?? '')).toEqual({ dead: true, fenced: true, reason: 'off' });
    expect(await cli('host give-up alpha')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--reason'),
    });
  });

  it('changes one override and keeps the others, on the version that it read', async () => {
    api.answer('PUT /v1/ports/p1/override', [200, answers.written]);
    await portolan(['port', 'set', 'p1', 'vlan=trunk:10-20,30', 'shapingOut=10M/20M/256k'], {
      server: api.url,
    });
    expect(JSON.parse(api.asked.at(-1)!.body)).toEqual({
      version: 6,
      override: {
        blocked: true,
        vlan: {
          mode: 'trunk',
          ranges: [
            { from: 10, to: 20 },
            { from: 30, to: 30 },
          ],
        },
        shapingOut: { average: 10_000_000, peak: 20_000_000, burst: 256_000 },
      },
    });
    await cli('port set p1 --unset blocked');
    expect(JSON.parse(api.asked.at(-1)!.body)).toEqual({ version: 6, override: {} });
  });

  it.each([
    ['get gruop', 2, /Expected host, switch, group, port, set, migration or evacuation/],
    ['bogus', 2, /unknown command/],
    ['apply', 2, /--filename/],
    ['apply -f nowhere.yaml', 1, /nowhere\.yaml: can't be read/],
    ['port set p1 colour=red', 2, /field colour.*one of vlan, blocked/],
    ['port set p1 blocked=perhaps', 2, /yes or no/],
    ['port set p1 vlan=ten', 2, /none, 20, trunk:100/],
    ['port set p1', 2, /nothing to set/],
    ['delete migration m1', 2, /abort ID/],
    ['get ports --server nonsense', 2, /is not an http address/],
    ['hosts -o xml', 2, /table, json, yaml/],
    ['wait soon', 2, /whole number/],
  ])('%s: exit %i', async (line, code, message) => {
    const ran = await cli(line);
    expect(ran.code).toBe(code);
    expect(ran.err).toMatch(message);
    expect(ran.out).toBe('');
  });

  it.each([
    ['not-found', 404, 3],
    ['conflict', 409, 4],
    ['fenced', 409, 4],
    ['refused', 422, 1],
    ['forbidden', 403, 1],
    ['unavailable', 503, 5],
    ['unknown', 504, 5],
    ['internal', 500, 1],
  ])('%s (%i): exit %i', async (code, status, exit) => {
    api.answer('DELETE /v1/groups/web', [status, problem(code, status, `it is ${code}`, [], status > 502)]);
    const ran = await cli('delete group web');
    expect([ran.code, ran.out]).toEqual([exit, '']);
    expect(ran.err).toContain(`error: it is ${code}\n`);
    expect(ran.err.includes('can succeed later')).toBe(status > 502);
  });

  it('says where it asked when nobody answers, or something else does', async () => {
    expect(await cli('hosts', { server: 'http://127.0.0.1:9' })).toMatchObject({ code: 5 });
    api.answer('GET /v1/logs?limit=50', [200, answers.ruleLog]);
    api.answer('GET /v1/status', [200, '<html>'], [200, answers.status]);
    expect((await cli('status')).err).toContain('not JSON');
    api.answer('GET /v1/logs?limit=50', [200, answers.ruleLog]);
    api.answer('GET /v1/status', [502, '<html>bad gateway</html>'], [200, answers.status]);
    expect(await cli('status')).toMatchObject({ code: 5 });
  });

  it('follows events across a broken connection, each once', async () => {
    const [a, b] = answers.events.items;
    const sse = (...events: readonly (readonly [string, unknown])[]): string =>
      events.map(([id, e]) => `${id}event: event\ndata: ${JSON.stringify(e)}\n\n`).join('');
    const again = { ...b!, index: 1, sentence: 'port p1 unblocked' };
    api.answer(
      'GET /v1/events/stream',
      [200, sse(['id: 0001-a:11\n', a], ['', b])],
      [200, sse(['', b], ['id: 12\n', again])],
    );
    const stop = new AbortController();
    const onOut = (text: string): void => void (text.includes('unblocked') && stop.abort());
    const { code, out } = await cli('events --follow --from 11', { signal: stop.signal, onOut });
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(3);
    const asked = api.asked.filter((q) => q.url.startsWith('/v1/events/stream'));
    expect(asked.map((q) => q.headers['last-event-id'])).toEqual(['10', '0001-a:11']);
  });

  it('ends a watch cleanly when interrupted', async () => {
    const stop = new AbortController();
    const { code, out, err } = await cli('stats --watch', { signal: stop.signal, onOut: () => stop.abort() });
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('p1');
  });

  it('has help with examples for everybody', async () => {
    const { code, out } = await cli('--help');
    expect(code).toBe(0);
    expect(out).toContain('Exit codes');
    expect((await cli('port connect --help')).out).toContain('portolan port connect --group web');
  });
});
