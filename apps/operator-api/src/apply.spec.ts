import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { startApi, unavailable, type Api } from './testing/api.fixture.js';

const QUICKSTART = readFileSync('deploy/examples/quickstart.yaml', 'utf8');
const doc = (kind: string, name: string, spec: object, more: object = {}): string =>
  JSON.stringify({ apiVersion: 'portolan.dev/v1', kind, metadata: { name, ...more }, spec });

describe('apply', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it('tells what a dry run would change, and changes nothing', async () => {
    const before = api.follower.revision;
    const { status, body } = await api.call('POST', '/v1/apply?dryRun=true', QUICKSTART);
    expect(status).toBe(200);
    expect(body).toMatchObject({ dryRun: true, revision: before, unchanged: 0 });
    expect(body.changed).toContainEqual({ kind: 'PortGroup', name: 'web', change: 'created', fields: [] });
    expect(api.follower.revision).toBe(before);
  });

  it('makes one commit of one file, and none of the same file again', async () => {
    const first = await api.call('POST', '/v1/apply?wait=5', QUICKSTART);
    expect(first.status).toBe(200);
    expect(first.body.realised).toMatchObject({ realised: true, hosts: 3, of: 3 });
    const again = await api.call('POST', '/v1/apply', QUICKSTART);
    expect(again.body).toMatchObject({ revision: first.body.revision, changed: [], unchanged: 9 });
    expect(api.follower.revision).toBe(first.body.revision);
    const waited = await api.call('POST', '/v1/apply?wait=1', QUICKSTART);
    expect(waited.body.realised.revision).toBe(first.body.revision);
  });

  it('names the fields that a change changes', async () => {
    const text = QUICKSTART.replace('id: 10 }', 'id: 11 }');
    const { body } = await api.call('POST', '/v1/apply', text);
    expect(body.changed).toEqual([
      { kind: 'PortGroup', name: 'web', change: 'changed', fields: ['policy.vlan.id'] },
    ]);
    expect(body.unchanged).toBe(8);
  });

  it('takes back what it gave: get, apply, no change', async () => {
    for (const path of ['/v1/groups/web', '/v1/switches/prod', '/v1/hosts/alpha']) {
      const { body } = await api.call('GET', path);
      const again = await api.call('POST', '/v1/apply', { resources: [body] });
      expect(again.body).toMatchObject({ changed: [], unchanged: 1 });
    }
  });

  it('answers the same command id with the same answer', async () => {
    const headers = { 'idempotency-key': 'cmd-1' };
    const yaml = doc('Host', 'delta', {});
    const first = await api.call('POST', '/v1/apply', yaml, headers);
    const again = await api.call('POST', '/v1/apply', yaml, headers);
    expect(again.body).toMatchObject({ revision: first.body.revision, repeated: true });
    expect(again.body.changed).toEqual(first.body.changed);
  });

  it('refuses a stale version with 409 and the current one', async () => {
    const { status, body } = await api.call(
      'POST',
      '/v1/apply',
      doc('Host', 'alpha', { maintenance: true }, { version: 1 }),
    );
    expect(status).toBe(409);
    expect(body.errors[0]).toMatchObject({ field: 'Host/alpha metadata.version', value: '1' });
  });

  it.each([
    ['malformed YAML', 'a: [1, 2', /malformed YAML: .* \(line 1, column \d+\)/],
    ['a tab', 'kind: Host\n\tmetadata: x', /line 2/],
    ['a key twice', 'kind: Host\nkind: Host\n', /unique.*line 2, column 1/],
    ['nothing', '# only a comment\n', /holds no resource/],
    ['a text', 'hello', /is not a resource/],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(99)}*a]\nc: [${'*b,'.repeat(99)}*b]\n`,
      /alias/,
    ],
    [
      'an unknown kind',
      doc('Hots', 'a', {}),
      /Hots\/a kind "Hots": is not a known kind.*Host, DistributedSwitch/,
    ],
    ['an unknown field', doc('Host', 'a', { lables: {} }), /Host\/a spec\.lables/],
    [
      'an unknown outer field',
      'apiVersion: portolan.dev/v1\nkind: Host\nmetadata: {name: a}\nspce: {}',
      /Host\/a spce.*line 4/,
    ],
    [
      'another version',
      'apiVersion: v2\nkind: Host\nmetadata: {name: a}',
      /apiVersion "v2".*portolan\.dev\/v1/,
    ],
    ['no metadata', 'apiVersion: portolan.dev/v1\nkind: Host', /metadata: is missing/],
    ['a bad name', doc('Host', 'Alpha!', {}), /metadata\.name "Alpha!"/],
    [
      'VLAN 4095',
      doc('PortGroup', 'x', { switch: 'prod', policy: { vlan: { mode: 'access', id: 4095 } } }),
      /policy\.vlan.*4095/,
    ],
    [
      'overlapping trunk ranges',
      doc('PortGroup', 'x', {
        switch: 'prod',
        policy: {
          vlan: {
            mode: 'trunk',
            ranges: [
              { from: 1, to: 10 },
              { from: 5, to: 20 },
            ],
          },
        },
      }),
      /ranges/,
    ],
    [
      'an unknown switch',
      doc('PortGroup', 'x', { switch: 'nowhere' }),
      /PortGroup\/x spec\.switch "nowhere".*line 1/,
    ],
    [
      'an unknown uplink',
      doc('DistributedSwitch', 'x', { uplinks: ['u1'], members: { alpha: { u2: 'eth7' } } }),
      /u2/,
    ],
  ])('refuses %s, naming it, and does nothing', async (_what, text, expected) => {
    const before = api.follower.revision;
    const { status, body } = await api.call('POST', '/v1/apply', text);
    expect([400, 404, 422]).toContain(status);
    expect(JSON.stringify([body.detail, body.errors]).replaceAll('\\"', '"')).toMatch(expected);
    for (const e of body.errors) expect(e.reason).not.toBe('');
    expect(api.follower.revision).toBe(before);
  });

  it('shows faults that only the state tells at their line too', async () => {
    const text = QUICKSTART.replace('switch: lab-internal', 'switch: lab-typo');
    const { body } = await api.call('POST', '/v1/apply', text);
    expect(body.errors[0].field).toBe('PortGroup/build spec.switch');
    const line = text.split('\n').findIndex((l) => l.includes('lab-typo')) + 1;
    expect(body.errors[0].reason).toContain(`(line ${line}, column 11)`);
  });

  it('says 503 with Retry-After when nobody leads', async () => {
    api.gateway.faults.push(unavailable);
    const { status, body, headers } = await api.call('POST', '/v1/apply', doc('Host', 'echo', {}));
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('1');
    expect(body).toMatchObject({ code: 'unavailable', retry: true });
  });

  it('names the host that a wait waits for', async () => {
    api.gateway.waiting.push({
      host: 'bravo' as never,
      realised: 3 as never,
      lastSeen: 0,
      reason: 'down',
      exceptions: [],
    });
    const { status, body } = await api.call('POST', '/v1/apply?wait=0.1', doc('Host', 'foxtrot', {}));
    api.gateway.waiting.length = 0;
    expect(status).toBe(200);
    expect(body.realised).toMatchObject({ realised: false, waiting: [{ host: 'bravo', realised: 3 }] });
    expect(body.realised.waiting[0].reason).toContain('silent since 1970');
  });

  it('leaves no listener broken', () => expect(api.faults).toEqual([]));
});
