import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { startApi, type Api } from './testing/api.fixture.js';

const QUICKSTART = readFileSync('deploy/examples/quickstart.yaml', 'utf8');
const host = (name: string): string =>
  JSON.stringify({ apiVersion: 'portolan.dev/v1', kind: 'Host', metadata: { name }, spec: {} });

/** Reads from the stream until `done` says so, then breaks the connection. */
async function readStream(
  url: string,
  lastId: string | undefined,
  done: (text: string) => boolean,
): Promise<string> {
  const stop = new AbortController();
  const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
  const response = await fetch(`${url}/v1/events/stream`, { headers, signal: stop.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(part).toString();
    if (done(text)) break;
  }
  stop.abort();
  return text;
}

describe('events, export and replay', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
    await api.call('POST', '/v1/apply', QUICKSTART);
    for (const name of ['h1', 'h2', 'h3']) await api.call('POST', '/v1/apply', host(name));
  });
  afterAll(() => api.close());

  it('tells the last ones, or from a revision on, in whole commits', async () => {
    const latest = await api.call('GET', '/v1/events?limit=2');
    expect(latest.body.items.map((e: { sentence: string }) => e.sentence)).toEqual([
      'host h2 defined',
      'host h3 defined',
    ]);
    const first = await api.call('GET', '/v1/events?from=2&limit=1');
    expect(first.body.items.length).toBeGreaterThan(9);
    const next = await api.call('GET', `/v1/events?from=${first.body.next}&limit=2`);
    expect(next.body.items.map((e: { objects: string[] }) => e.objects[0])).toEqual(['host/h1', 'host/h2']);
    const only = await api.call('GET', '/v1/events?from=1&object=group/web&type=GroupDefined');
    expect(only.body.items).toHaveLength(1);
  });

  it('reads from the log what it no longer keeps at hand', async () => {
    const { findRevision, readCommits } = await import('./events/read-commits.js');
    const { clusterRules } = await import('#runtime');
    const lineage = api.follower.lineage!;
    for (const revision of [1, 2, 3, 5]) {
      const seq = await findRevision(api.log, lineage, revision);
      for await (const commit of readCommits(api.log, clusterRules, seq)) {
        expect(commit.revision).toBe(revision);
        break;
      }
    }
    expect(await findRevision(api.log, lineage, 99)).toBe((await api.log.last()) + 1);
  });

  it('streams from Last-Event-ID on, then live, each once', async () => {
    const after = api.follower.revision - 2;
    const reading = readStream(api.url, String(after), (t) => t.includes('h4 defined'));
    await api.call('POST', '/v1/apply', host('h4'));
    const text = await reading;
    const ids = [...text.matchAll(/^id: (.+)$/gm)].map((m) => m[1]);
    expect(ids).toEqual([1, 2, 3].map((n) => `${api.follower.lineage}:${after + n}`));
    expect(text).toContain('event: hello');
  });

  it('begins a lineage anew for an id that is ahead of it', async () => {
    const text = await readStream(api.url, '99999', (t) => t.includes('h4 defined'));
    expect(text).toContain('host alpha defined');
  });

  it('resumes after an id of its lineage, and begins anew for one of another', async () => {
    const { lineage, revision } = api.follower;
    const until = (t: string): boolean => t.includes('h4 defined');
    const rest = await readStream(api.url, `${lineage}:${revision - 1}`, until);
    expect(rest.match(/^id: /gm)).toHaveLength(1);
    const other = '00000000-0000-4000-8000-000000000009';
    expect(await readStream(api.url, `${other}:${revision - 1}`, until)).toContain('host alpha defined');
    const headers = { 'last-event-id': `${other}:x` };
    expect((await fetch(`${api.url}/v1/events/stream`, { headers })).status).toBe(422);
  });

  it('exports what replays to the same digest', async () => {
    const status = await api.call('GET', '/v1/status');
    const log = await api.call('GET', '/v1/log/export');
    const ndjson = { 'content-type': 'application/x-ndjson' };
    const { status: code, body } = await api.call('POST', '/v1/replay', log.body as string, ndjson);
    expect(code).toBe(200);
    expect(body).toMatchObject({
      digest: status.body.digest,
      revision: status.body.revision,
      lineage: status.body.lineage,
    });
    const loose = (log.body as string)
      .split('\n')
      .filter(Boolean)
      .map((l) => JSON.stringify(JSON.parse(l), null, 0))
      .join('\r\n\n');
    expect((await api.call('POST', '/v1/replay', loose, ndjson)).body.digest).toBe(status.body.digest);
  });

  it.each([
    [
      'a changed event',
      (l: string[]) => l.map((t, i) => (i === 1 ? t.replace('"h1"', '"hX"').replace('alpha', 'alphb') : t)),
      /line 3/,
    ],
    ['a missing line', (l: string[]) => [...l.slice(0, 1), ...l.slice(2)], /line 2/],
    ['garbage', (l: string[]) => [...l, 'not json'], /line \d+/],
    ['a part of a log', (l: string[]) => l.slice(2), /line 1/],
  ])('refuses to replay %s, naming the line; the live state stays', async (_what, spoil, expected) => {
    const log = await api.call('GET', '/v1/log/export');
    const before = api.follower.revision;
    const lines = spoil((log.body as string).trimEnd().split('\n')).join('\n');
    const { status, body } = await api.call('POST', '/v1/replay', lines, {
      'content-type': 'application/x-ndjson',
    });
    expect(status).toBe(422);
    expect(body.detail).toMatch(expected);
    expect(api.follower.revision).toBe(before);
  });

  it('exports a range', async () => {
    const { body } = await api.call('GET', '/v1/log/export?from=3&to=4');
    const revisions = (body as string)
      .trimEnd()
      .split('\n')
      .map((l) => (JSON.parse(l) as { revision: number }).revision);
    expect(revisions).toEqual([3, 4]);
    expect((await api.call('GET', '/v1/log/export?from=3&to=2')).status).toBe(422);
  });

  it('leaves no listener broken', () => expect(api.faults).toEqual([]));
});
