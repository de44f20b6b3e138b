import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type Command, type RawCounters } from '#domain';
import { type Telemetry } from '#contracts';
import { startApi, type Api } from './testing/api.fixture.js';

const QUICKSTART = readFileSync('deploy/examples/quickstart.yaml', 'utf8');
const MAC = '02:00:00:00:00:0a';
const none = { packets: 0, bytes: 0 };
const raw = (n: number): RawCounters => ({
  in: { unicast: { packets: n, bytes: n * 100 }, multicast: none, broadcast: none },
  out: { unicast: none, multicast: none, broadcast: none },
});

function facts(host: string, seq: number, fact: unknown): Command {
  return { type: 'IngestFacts', host, boot: 'boot-1', facts: [{ seq, at: 0, fact }] } as unknown as Command;
}

const LINE = {
  ...{ switch: 'prod', port: 'p1', rule: 'no-telnet', direction: 'in', verdict: 'drop', vlan: 10 },
  ...{ srcMac: '02:00:00:00:00:01', dstMac: '02:00:00:00:00:02', etherType: 0x0806 },
};

const telemetry = (time: number, n: number, incarnation: string): Telemetry =>
  ({
    schema: 1,
    host: 'alpha',
    boot: 'boot-1',
    time,
    counters: [
      {
        port: 'p1',
        epoch: 1,
        incarnation,
        raw: raw(n),
        dropped: { in: 3, out: 0 },
      },
    ],
    log: { lines: [{ ...LINE, time }], more: 2 },
    rules: [{ switch: 'prod', ports: ['p1', 'p9'], hits: { 'no-telnet': 2 } }],
    vms: [{ owner: 'vm-a', state: 'running', sent: n }],
    interfaces: [],
    uplinks: [{ switch: 'prod', uplink: 'uplink1', device: 'eth1', up: true }],
  }) as unknown as Telemetry;

describe('resources, ports, migrations, statistics, status', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    await api.call('POST', '/v1/apply', QUICKSTART);
  });
  afterAll(() => api.close());

  it('lists in name order, page by page, with the revision', async () => {
    const first = await api.call('GET', '/v1/groups?limit=3');
    expect(first.body.items.map((g: { metadata: { name: string } }) => g.metadata.name)).toEqual([
      'build',
      'db',
      'trunk',
    ]);
    expect(first.body).toMatchObject({ total: 4, next: 'trunk', revision: api.follower.revision });
    const second = await api.call('GET', `/v1/groups?after=${first.body.next}`);
    expect(second.body).toMatchObject({ next: null, items: [{ metadata: { name: 'web' } }] });
    const ports = await api.call('GET', '/v1/ports?group=web');
    expect(ports.body.items).toHaveLength(8);
  });

  it('tells of an uplink who is at its other end, and what the fabric beyond lacks', async () => {
    const neighbour = {
      ...{ chassis: 'core1', port: 'ge1', ttl: 120, portDescription: null, systemName: 'core1' },
      ...{ systemDescription: null, capabilities: ['bridge'], managementAddress: null, others: 0 },
    };
    const fault = { kind: 'vlan', vlan: 7, reason: 'the port has to carry it' } as const;
    const health = { hosts: 2, answered: 3, unheard: 1, faults: [fault] };
    const place = { switch: 'prod', uplink: 'uplink1' };
    const base = { ...telemetry(500, 0, 'i0'), counters: [] };
    api.live.takeTelemetry({
      ...base,
      neighbours: [{ ...place, ...neighbour }],
      health: [{ ...place, ...health }],
    });
    const host = await api.call('GET', '/v1/hosts/alpha');
    expect(host.body.status.uplinks[0]).toMatchObject({ ...place, neighbour, health });
    expect(host.body.status.uplinks[1]).toMatchObject({ neighbour: null, health: null });
    const { body } = await api.call('GET', '/v1/switches/prod');
    expect(body.status.health).toEqual([{ host: 'alpha', uplink: 'uplink1', ...fault }]);
  });

  it('connects a port, whose ledger then follows telemetry, and describes it', async () => {
    const connectee = { kind: 'vm', ifaceId: 'vm-a-eth0', mac: MAC, owner: 'vm-a' };
    const connected = await api.call('POST', '/v1/ports', { group: 'web', connectee });
    expect(connected.body.changed).toMatchObject([{ kind: 'Port', change: 'changed' }]);
    const id = connected.body.changed[0].name as string;
    expect(id).toMatch(/^p\d+$/);
    const iface = {
      ifaceId: 'vm-a-eth0',
      mac: MAC,
      profile: 'web',
      owner: 'vm-a',
      kind: 'vm',
      switch: 'prod',
    };
    await api.command(facts('alpha', 1, { type: 'InterfacePlugged', interface: iface }));
    await api.command(
      facts('alpha', 2, { type: 'SegmentOpened', port: id, epoch: 1, incarnation: 'i1', raw: raw(10) }),
    );
    for (const [time, n] of [
      [1000, 10],
      [2000, 110],
    ] as const) {
      const t = telemetry(time, n, 'i1');
      api.live.takeTelemetry({ ...t, counters: t.counters.map((c) => ({ ...c, port: id as never })) });
    }
    const { body } = await api.call('GET', `/v1/ports/${id}`);
    expect(body.port.status).toMatchObject({ state: 'bound', active: { host: 'alpha', epoch: 1 } });
    expect(body.ledger).toMatchObject({
      exact: true,
      total: { in: { unicast: { packets: 100, bytes: 10_000 } } },
    });
    expect(body.ledger.segments[0]).toMatchObject({ host: 'alpha', live: true, closedAt: null });
    const vlan = body.policy.find((p: { field: string }) => p.field === 'vlan');
    expect(vlan).toEqual({ field: 'vlan', value: { mode: 'access', id: 10 }, origin: 'group' });
    expect(body.policy.find((p: { field: string }) => p.field === 'teaming').origin).toBe('switch');
    const stats = await api.call('GET', '/v1/stats/ports?owner=vm-a');
    expect(stats.body.items[0]).toMatchObject({
      in: { packets: 100 },
      rates: { in: { packetsPerSecond: 100, bitsPerSecond: 80_000 } },
      dropped: { in: 3, out: 0 },
      ruleHits: { 'no-telnet': 2 },
    });
    const groups = await api.call('GET', '/v1/stats/groups');
    expect(groups.body.items.find((g: { group: string }) => g.group === 'web')).toMatchObject({
      connected: 1,
      in: { packets: 100 },
      ruleHits: { 'no-telnet': 2 },
    });
    const logs = (query: string) => api.call('GET', `/v1/logs?${query}`);
    const { body: all } = await logs('port=p1&rule=no-telnet&host=alpha&limit=1');
    expect(all.items).toEqual([{ ...LINE, host: 'alpha', id: all.last, time: expect.any(String) }]);
    expect((await logs(`after=${all.last - 1}`)).body.items).toEqual(all.items);
    expect((await logs('rule=other')).body).toMatchObject({ items: [], last: all.last });
    expect(all.more).toBeGreaterThan(0);
    expect((await logs('limit=0')).status).toBe(422);
  });

  it('overrides what the group allows, with the version read; a stale one is a conflict', async () => {
    const { body: list } = await api.call('GET', '/v1/ports?owner=vm-a');
    const id = list.items[0].metadata.name as string;
    const version = list.items[0].metadata.version as number;
    const put = (override: object, headers = {}) =>
      api.call('PUT', `/v1/ports/${id}/override`, { override }, headers);
    const done = await put({ blocked: true }, { 'if-match': `"${version}"` });
    expect(done.body.changed).toEqual([
      { kind: 'Port', name: id, change: 'changed', fields: ['override.blocked'] },
    ]);
    expect((await put({ blocked: false }, { 'if-match': `"${version}"` })).status).toBe(409);
    const bad = await put({ vlan: { mode: 'access', id: 5000 } });
    expect(bad.status).toBe(422);
    expect(bad.body.errors[0].field).toMatch(/^override\.vlan/);
  });

  it.each([
    ['GET', '/v1/ports?limit=0', undefined, 'limit'],
    ['GET', '/v1/ports?colour=red', undefined, 'colour'],
    ['GET', '/v1/events?type=no-type', undefined, 'type'],
    ['GET', '/v1/events?object=vm/a', undefined, 'object'],
    ['GET', '/v1/revisions/abc/realised', undefined, 'revision'],
    ['POST', '/v1/ports', { group: 'web' }, 'connectee'],
    [
      'POST',
      '/v1/ports',
      { group: 'web', connectee: { kind: 'ship', ifaceId: 'x', mac: MAC, owner: 'o' } },
      'connectee.kind',
    ],
    ['POST', '/v1/ports', { group: 'web', colour: 1 }, 'colour'],
    ['POST', '/v1/migrations', { owner: 'vm-a', destination: 'No Host' }, 'destination'],
    ['POST', '/v1/migrations/x1/abort', {}, 'migration'],
    ['PUT', '/v1/ports/p1/override', { override: [] }, 'override'],
    ['POST', '/v1/hosts/alpha/give-up-counters', {}, 'reason'],
    ['POST', '/v1/apply?dryRun=perhaps', { resources: [] }, 'dryRun'],
    ['POST', '/v1/apply?wait=-1', { resources: [] }, 'wait'],
    ['DELETE', '/v1/hosts/alpha?version=x', undefined, 'version'],
  ])('refuses %s %s, naming the field', async (method, path, body, field) => {
    const answer = await api.call(method, path, body);
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.errors.map((e: { field: string }) => e.field)).toContain(field);
  });

  it('says 404 with kind and name, 415, 413, 400 with a place', async () => {
    expect((await api.call('GET', '/v1/groups/nope')).body).toMatchObject({
      status: 404,
      errors: [{ field: 'group' }],
    });
    expect((await api.call('GET', '/v1/nothing')).status).toBe(404);
    expect((await api.call('POST', '/v1/ports', 'x', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await api.call('POST', '/v1/apply', `# ${'x'.repeat(2 * 1024 * 1024)}`)).status).toBe(413);
    const broken = await api.call('POST', '/v1/ports', '{"group":\n "web",,}', {
      'content-type': 'application/json',
    });
    expect(broken.status).toBe(400);
    expect(broken.body.detail).toContain('(line 2, column 8)');
  });

  it('gives back the correlation id, and keeps it in the events', async () => {
    const headers = { 'x-correlation-id': 'trace-7', 'x-portolan-actor': 'ada' };
    const yaml = JSON.stringify({ apiVersion: 'portolan.dev/v1', kind: 'Host', metadata: { name: 'delta' } });
    const answer = await api.call('POST', '/v1/apply?reason=rack%203', yaml, headers);
    expect(answer.headers.get('x-correlation-id')).toBe('trace-7');
    const { body } = await api.call('GET', `/v1/events?from=${answer.body.revision}`);
    expect(body.items[0]).toMatchObject({
      correlationId: 'trace-7',
      actor: 'ada',
      reason: 'rack 3',
      objects: ['host/delta'],
    });
  });

  it('deletes only the version that was read', async () => {
    expect((await api.call('DELETE', '/v1/hosts/delta?version=1')).status).toBe(409);
    const { body } = await api.call('GET', '/v1/hosts/delta');
    const gone = await api.call('DELETE', '/v1/hosts/delta', undefined, {
      'if-match': `"${body.metadata.version}"`,
    });
    expect(gone.body.changed).toEqual([{ kind: 'Host', name: 'delta', change: 'deleted', fields: [] }]);
    expect((await api.call('GET', '/v1/hosts/delta')).status).toBe(404);
  });

  it('moves a VM: admitted, listed, aborted; not even the exported log has a group address', async () => {
    for (const h of ['alpha', 'bravo', 'charlie']) api.report(h);
    const started = await api.call('POST', '/v1/migrations', {
      owner: 'vm-a',
      destination: 'bravo',
      reason: 'upgrade',
    });
    expect(started.status).toBe(200);
    const id = started.body.changed.find((c: { kind: string }) => c.kind === 'Migration').name as string;
    const { body } = await api.call('GET', `/v1/migrations/${id}`);
    expect(body).toMatchObject({ owner: 'vm-a', source: 'alpha', destination: 'bravo', finished: false });
    expect(body.history[0]).toMatchObject({ phase: 'admitted', afterMs: 0 });
    const { revision } = body.history[0];
    expect(body).toMatchObject({ asked: 'upgrade', pauseMs: null });
    expect(body.handover[0]).toMatchObject({
      granted: revision,
      realised: null,
      carried: null,
      firstFrameAt: null,
      gapMs: null,
    });
    const listed = async (query: string): Promise<string[]> =>
      (await api.call('GET', `/v1/migrations?${query}`)).body.items.map((m: { id: string }) => m.id);
    expect(await listed('phase=admitted&host=bravo&since=2020-01-01T00:00:00Z')).toContain(id);
    expect(await listed('phase=failed')).not.toContain(id);
    expect(await listed('since=2120-01-01T00:00:00Z')).toEqual([]);
    for (const wrong of ['phase=gone', 'since=yesterday'])
      expect((await api.call('GET', `/v1/migrations?${wrong}`)).status).toBe(422);
    const everything = await Promise.all(
      [
        '/v1/log/export',
        '/v1/ports',
        '/v1/events?from=1',
        '/v1/migrations',
        `/v1/ports/${body.ports[0]?.port}`,
      ].map((p) => api.call('GET', p)),
    );
    expect(everything[0]?.body).toContain('"type":"StandbyGranted","v":2');
    for (const a of everything) {
      expect(JSON.stringify(a.body)).not.toMatch(/token/i);
      expect(JSON.stringify(a.body)).not.toMatch(/\b[0-9a-f][13579bdf](:[0-9a-f]{2}){5}\b/);
    }
    const aborted = await api.call('POST', `/v1/migrations/${id}/abort`, { reason: 'changed my mind' });
    expect(aborted.status).toBe(200);
    expect((await api.call('GET', `/v1/migrations/${id}`)).body).toMatchObject({
      finished: true,
      handover: [],
    });
    expect((await api.call('GET', '/v1/migrations?active=true')).body.items.length).toBeLessThanOrEqual(1);
    expect(
      (await api.call('POST', '/v1/migrations', { owner: 'ghost', destination: 'bravo' })).body.errors[0]
        .field,
    ).toBe('owner');
  });

  it('tells hosts and status as they report', async () => {
    api.report('alpha');
    api.report('bravo', {
      realised: 1 as never,
      exceptions: [{ port: null, object: 'switch/prod', code: 'no-uplink', reason: 'eth2 is missing' }],
    });
    const host = await api.call('GET', '/v1/hosts/bravo');
    expect(host.body.status).toMatchObject({
      state: 'up',
      realised: 1,
      exceptions: [{ code: 'no-uplink', host: 'bravo' }],
    });
    const { body } = await api.call('GET', '/v1/status');
    expect(body).toMatchObject({
      leader: 'manager-1',
      exceptions: 1,
      api: { follows: true },
      hosts: { total: 3 },
    });
    expect(body.hosts.behind.map((h: { host: string }) => h.host)).toContain('bravo');
    expect(body.digest).toMatch(/^[0-9a-f]{64}$/);
    expect((await api.call('GET', '/v1/status?digest=false')).body.digest).toBeNull();
    const realised = await api.call('GET', `/v1/revisions/${api.follower.revision}/realised?timeout=1`);
    expect(realised.body).toMatchObject({ realised: true, hosts: 3 });
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
    expect((await api.call('GET', '/metrics')).status).toBe(200);
  });

  it('keeps sets of addresses and of ports, and those that rules name', async () => {
    const apply = (...resources: object[]) =>
      api.call('POST', '/v1/apply', {
        resources: resources.map((r) => ({ apiVersion: 'portolan.dev/v1', ...r })),
      });
    const office = (addresses: string[]) => ({
      kind: 'AddressSet',
      metadata: { name: 'office' },
      spec: { addresses },
    });
    const naming = (...rules: object[]) => ({
      kind: 'PortGroup',
      metadata: { name: 'guarded' },
      spec: { switch: 'prod', ports: 1, policy: { filter: rules } },
    });
    const rule = { name: 'r', action: 'drop', match: { srcSet: 'office' } };
    const unknown = await apply(naming(rule));
    expect([unknown.status, unknown.body.errors]).toEqual([
      422,
      [
        expect.objectContaining({
          field: 'PortGroup/guarded spec.policy.filter.rules[0].match.srcSet',
          reason: expect.stringContaining('is not a known set'),
        }),
      ],
    ]);
    const made = await apply(naming(rule), office(['192.0.2.0/24']), {
      kind: 'PortSet',
      metadata: { name: 'tier' },
      spec: { groups: ['web'] },
    });
    expect(made.body.changed).toEqual(
      expect.arrayContaining([{ kind: 'AddressSet', name: 'office', change: 'created', fields: [] }]),
    );
    const changed = await apply(office(['192.0.2.0/24', '2001:db8::1']));
    expect(changed.body.changed).toEqual([
      { kind: 'AddressSet', name: 'office', change: 'changed', fields: ['addresses'] },
    ]);
    expect((await api.call('GET', '/v1/sets')).body.items).toMatchObject([
      { kind: 'AddressSet', status: { members: 2, namedBy: ['group guarded'] } },
      { kind: 'PortSet', metadata: { name: 'tier' }, spec: { groups: ['web'], ports: [], owners: [] } },
    ]);
    const held = await api.call('DELETE', '/v1/sets/office');
    expect([held.status, held.body.detail]).toEqual([422, expect.stringContaining('group guarded')]);
    await apply(naming());
    expect((await api.call('DELETE', '/v1/sets/office')).body.changed).toEqual([
      { kind: 'AddressSet', name: 'office', change: 'deleted', fields: [] },
    ]);
    expect((await api.call('GET', '/v1/sets/office')).status).toBe(404);
    const { body } = await api.call('GET', '/v1/events?object=set/office');
    expect(body.items.map((e: { type: string }) => e.type)).toEqual([
      'AddressSetDefined',
      'AddressSetDefined',
      'SetRemoved',
    ]);
  });

  it('leaves no listener broken', () => expect(api.faults).toEqual([]));
});

describe('who may ask', () => {
  it('wants the token where one is set, and never a foreign page', async () => {
    const api = await startApi({ token: 'a-token-of-16-or-more' });
    try {
      expect((await api.call('GET', '/v1/hosts')).status).toBe(401);
      expect((await api.call('GET', '/health/live')).status).toBe(200);
      const headers = { authorization: 'Bearer a-token-of-16-or-more' };
      expect((await api.call('GET', '/v1/hosts', undefined, headers)).status).toBe(200);
      expect(
        (await api.call('GET', '/v1/hosts', undefined, { ...headers, origin: 'http://evil.test' })).status,
      ).toBe(403);
    } finally {
      await api.close();
    }
  });
});
