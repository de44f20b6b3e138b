import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson, type Epoch, type HostName, type PortId } from '#kernel';
import { type Fact } from '#domain';
import { type LedgerAudit, type LedgerAuditLine } from '#contracts/http';
import { InMemoryLog, type CommitEnvelope } from '#event-store';
import { clusterRules } from '#runtime';
import { startApi, type Api } from '../testing/api.fixture.js';
import { LedgerAuditService } from './ledger-audit.service.js';

const none = { packets: 0, bytes: 0 };
const nothing = { unicast: none, multicast: none, broadcast: none };
const sent = (n: number) => ({
  in: { ...nothing, unicast: { packets: n, bytes: 100 * n } },
  out: nothing,
});
const segment = (type: 'SegmentOpened' | 'SegmentClosed', incarnation: string, n: number): Fact => ({
  type,
  ...{ port: 'p1' as PortId, epoch: 1 as Epoch, incarnation, raw: sent(n) },
});

const MANIFEST = [
  { kind: 'Host', metadata: { name: 'h1' }, spec: {} },
  { kind: 'StandardSwitch', metadata: { name: 'lan' }, spec: { members: { h1: {} } } },
  { kind: 'PortGroup', metadata: { name: 'web' }, spec: { switch: 'lan', ports: 1 } },
].map((r) => ({ apiVersion: 'portolan.dev/v1', ...r }));

describe('the ledgers held against the log', () => {
  let api: Api;
  let lines: string[];
  beforeAll(async () => {
    api = await startApi();
    await api.call('POST', '/v1/apply', { resources: MANIFEST });
    let seq = 0;
    const tell = (...facts: Fact[]): Promise<void> => {
      const numbered = facts.map((fact) => ({ seq: ++seq, at: 0, fact }));
      return api.command({ type: 'IngestFacts', host: 'h1' as HostName, boot: 'b', facts: numbered });
    };
    const iface = { ifaceId: 'a0', mac: '02:00:00:00:00:0a', profile: 'web', owner: 'vm-a', switch: 'lan' };
    await tell({ type: 'InterfacePlugged', interface: { ...iface, kind: 'vm' } });
    await tell(segment('SegmentOpened', 'one', 5));
    await tell(segment('SegmentClosed', 'one', 25), segment('SegmentOpened', 'two', 0));
    await tell(segment('SegmentClosed', 'two', 1));
    lines = ((await api.call('GET', '/v1/log/export')).body as string).split('\n').filter(Boolean);
  });
  afterAll(() => api.close());

  /** The counters of the close made another, and the chain hashed anew over what comes after it. */
  function falsified(packets: number): string[] {
    let prevhash: string | undefined;
    return lines.map((line) => {
      const envelope = JSON.parse(line) as CommitEnvelope;
      const changed = JSON.parse(
        JSON.stringify({ ...envelope, prevhash: prevhash ?? envelope.prevhash }).replace(
          '"bytes":2500,"packets":25',
          `"bytes":2500,"packets":${packets}`,
        ),
      ) as CommitEnvelope;
      const text = canonicalJson(changed);
      prevhash = clusterRules.hash(Buffer.from(text));
      return text;
    });
  }

  const audits = async (of: readonly string[], asOf?: number): Promise<LedgerAuditLine[]> => {
    const log = new InMemoryLog();
    for (const [i, text] of of.entries())
      await log.append({ id: `${i}`, topic: 'commit', bytes: Buffer.from(text) }, i);
    const service = new LedgerAuditService(api.follower, log, clusterRules);
    const told: LedgerAuditLine[] = [];
    for await (const line of service.live(asOf)) told.push(line);
    return told;
  };
  const ask = async (query = ''): Promise<LedgerAudit> => {
    const { status, body } = await api.call('GET', `/v1/verify/ledgers${query}`);
    expect(status).toBe(200);
    const told = (body as string)
      .split('\n')
      .filter(Boolean)
      .map((l) => JSON.parse(l) as LedgerAuditLine);
    expect(told[0]).toEqual({ progress: { read: 0, of: lines.length } });
    return told.at(-1)!.audit!;
  };

  it('agree with it, as shown now and as of any revision', async () => {
    const { revision } = api.follower;
    expect(await ask()).toMatchObject({
      ...{ revision, against: 'live', commits: lines.length, ports: 1, segments: 2, agree: true },
      ...{ faults: [], differences: [], more: 0 },
    });
    for (let asOf = 1; asOf < revision; asOf++)
      expect(await ask(`?asOf=${asOf}`)).toMatchObject({ revision: asOf, against: 'replay', agree: true });
    expect((await api.call('GET', `/v1/verify/ledgers?asOf=${revision + 1}`)).status).toBe(404);
    expect((await api.call('GET', '/v1/verify/ledgers?asOf=x')).status).toBe(422);
  });

  it('differ from a log in which they were falsified, though its hashes are right', async () => {
    const { audit } = (await audits(falsified(20))).at(-1)!;
    expect(audit).toMatchObject({ agree: false, faults: [] });
    expect(audit?.differences).toEqual([{ port: 'p1', what: 'in.unicast.packets', log: 16, shown: 21 }]);
  });

  it('can’t be held against a log whose hashes are not right: that says so, with the revision', async () => {
    const spoilt = falsified(20).map((text, i) => (i === lines.length - 1 ? lines[i]! : text));
    const [last] = (await audits(spoilt)).slice(-1);
    expect(last).toMatchObject({
      problem: { detail: expect.stringContaining(`revision ${api.follower.revision}`) },
    });
  });

  it('of a file: what no rule could have written is named with its revision', async () => {
    const ndjson = { 'content-type': 'application/x-ndjson' };
    const post = (of: readonly string[]) => api.call('POST', '/v1/verify/ledgers', of.join('\n'), ndjson);
    expect((await post(lines)).body).toMatchObject({ agree: true, against: 'replay', segments: 2 });
    const { body } = await post(falsified(3));
    expect(body.faults).toEqual([
      {
        revision: api.follower.revision - 1,
        port: 'p1',
        what: 'segment ["p1","h1",1,"one"] fell by 2 in in.unicast.packets',
      },
    ]);
    expect(body.agree).toBe(false);
    const broken = await post(falsified(20).map((text, i) => (i === lines.length - 1 ? lines[i]! : text)));
    expect(broken).toMatchObject({ status: 422, body: { errors: [{ field: `line ${lines.length}` }] } });
  });
});
