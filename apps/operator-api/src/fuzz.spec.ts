import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { parseJsonResources, parseYamlResources } from './manifest/parse.js';
import { startApi, type Api } from './testing/api.fixture.js';

const QUICKSTART = readFileSync('deploy/examples/quickstart.yaml', 'utf8');

/** A text near a good one: pieces cut out, doubled and overwritten. */
const mangled = fc
  .array(fc.tuple(fc.nat(QUICKSTART.length), fc.nat(40), fc.string({ unit: 'binary', maxLength: 8 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((cuts) =>
    cuts.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), QUICKSTART),
  );

const nearResource = fc.record(
  {
    apiVersion: fc.oneof(fc.constant('portolan.dev/v1'), fc.jsonValue()),
    kind: fc.oneof(
      fc.constantFrom('Host', 'PortGroup', 'DistributedSwitch', 'Port', '__proto__'),
      fc.jsonValue(),
    ),
    metadata: fc.oneof(fc.record({ name: fc.constantFrom('a', 'p1') }), fc.jsonValue()),
    spec: fc.oneof(
      fc.dictionary(
        fc.constantFrom('switch', 'policy', 'members', 'uplinks', 'override', '__proto__'),
        fc.jsonValue(),
      ),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: [] },
);

describe('whatever is sent', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it('YAML is read or refused with reasons, never thrown', () => {
    fc.assert(
      fc.property(fc.oneof(mangled, fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const result = parseYamlResources(text);
        if (result.ok) return;
        expect(result.error.code).toBe('invalid');
        for (const d of result.error.details) expect(d.reason).not.toBe('');
      }),
      { numRuns: 150 },
    );
  });

  it('JSON is read or refused with fields, never thrown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.record({ resources: fc.array(nearResource) }), fc.jsonValue()), (body) => {
        const result = parseJsonResources(body);
        if (!result.ok) expect(result.error.details.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  const routes = [
    'POST /v1/apply',
    'POST /v1/ports',
    'POST /v1/ports/p1/disconnect',
    'POST /v1/ports/p1/move',
    'PUT /v1/ports/p1/override',
    'POST /v1/migrations',
    'POST /v1/migrations/m1/abort',
    'POST /v1/hosts/alpha/give-up-counters',
    'POST /v1/replay',
    'POST /v1/verify/ledgers',
    'POST /v1/hosts/nowhere/evacuate',
    'POST /v1/evacuations/e1/abort',
  ];
  const types = ['application/json', 'application/yaml', 'application/x-ndjson', 'text/plain', ''];

  it('no body, path or query makes a defect or changes the state', async () => {
    const before = api.follower.revision;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.constantFrom(...types),
        fc.oneof(fc.json(), fc.string(), fc.uint8Array({ maxLength: 200 })),
        async (route, type, body) => {
          const [method = '', path = ''] = route.split(' ');
          const response = await fetch(api.url + path, {
            method,
            body: body as string,
            headers: { 'content-type': type },
          });
          const text = await response.text();
          if (response.status === 200) return;
          expect(response.status).toBeLessThan(500);
          expect(JSON.parse(text)).toMatchObject({ status: response.status, code: expect.any(String) });
        },
      ),
      { numRuns: 200 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          'hosts',
          'ports',
          'groups',
          'events',
          'stats/ports',
          'migrations',
          'log/export',
          'revisions',
        ),
        fc.string(),
        fc.dictionary(fc.constantFrom('limit', 'after', 'from', 'to', 'type', 'owner', 'x'), fc.string()),
        async (path, name, query) => {
          const url = `${api.url}/v1/${path}/${encodeURIComponent(name)}?${new URLSearchParams(query).toString()}`;
          const response = await fetch(url);
          await response.text();
          expect(response.status).toBeLessThan(500);
        },
      ),
      { numRuns: 200 },
    );
    expect(api.follower.revision).toBe(before);
    expect(api.faults).toEqual([]);
  });
});
