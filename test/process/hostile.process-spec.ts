import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { unwrap } from '#kernel';
import { openDocumentBytes, sealDocument, type GroupDocument } from '#contracts';
import { type WriteResult } from '#contracts/http';
import { COMMIT_TYPE, decodeEnvelope, encodeEnvelope, type CommitEnvelope } from '#event-store';
import { sha256 } from '#event-store/jetstream';
import { ed25519Signer, generateSigningKey } from '#platform';
import { documentVerifier } from '#platform';
import { node, ROOT, startWorld, until, type Ran, type World } from './cluster.fixture.js';

const text = (value: unknown): string => JSON.stringify(value);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('a cluster that is given what nobody should send', () => {
  let world: World;
  let manager: NatsConnection;
  beforeAll(async () => {
    world = await startWorld();
    await world.apply();
    manager = await world.connect('manager');
  });
  afterAll(() => world.stop());

  const received = async (owner: string): Promise<number> => {
    const { items } = await world.api.ports(`?owner=${owner}`);
    return (await world.api.stats(items[0]!.metadata.name)).out.packets;
  };
  const pidsOfServices = (): (number | undefined)[] =>
    ['switch-manager-1', 'switch-manager-2', 'operator-api', 'migration-coordinator'].map((n) =>
      world.cluster.children.pidOf(n),
    );

  describe('documents', () => {
    const key = 's.group.web';
    const stored = async (): Promise<{ bytes: Uint8Array; seq: number }> => {
      const found = await (
        await jetstreamManager(manager)
      ).streams.getMessage('DOC', { last_by_subj: `doc.${key}` });
      return { bytes: found!.data, seq: found!.seq };
    };

    it.each([
      ['without a signature', (d: GroupDocument) => bytes(text(d))],
      [
        'signed by another key',
        (d: GroupDocument) => sealDocument(d, unwrap(ed25519Signer(generateSigningKey().privateKey))),
      ],
      ['that is no document', () => bytes('{"body":')],
    ])(
      '%s are refused: nothing changes on the switch, and the true one is published again',
      async (_what, forge) => {
        const verifier = await documentVerifier([
          join(world.cluster.options.home, 'keys', 'manager.pub.pem'),
        ]);
        const truth = unwrap(openDocumentBytes((await stored()).bytes, verifier, key)) as GroupDocument;
        const hostile = {
          ...truth,
          revision: (truth.revision + 1) as never,
          policy: { ...truth.policy, blocked: true },
        };
        const refusals = async (): Promise<number> =>
          (await world.logOf('host-agent-bravo')).split(key).length;
        const before = await refusals();
        const at = await received('web-2');
        // The true one may come so soon that an agent never looks at this: then once more.
        await until('the agent to refuse it', async () => {
          const { seq } = await jetstream(manager).publish(`doc.${key}`, forge(hostile));
          await until('the true one to stand there again', async () => {
            const now = await stored();
            const opened = openDocumentBytes(now.bytes, verifier, key);
            return now.seq > seq && opened.ok && opened.value;
          });
          return (await refusals()) > before;
        });
        // web-1 sends 500 a second to web-2: had it been believed, nothing would arrive any more.
        await until('the traffic to go on', async () => (await received('web-2')) > at + 1_000);
        const hosts = (await world.api.hosts()).items;
        for (const host of hosts) expect(host.status.exceptions ?? []).toEqual([]);
      },
    );
  });

  describe('commands', () => {
    const ask = async (
      payload: string,
    ): Promise<{
      status: string;
      body: {
        code?: string;
        message?: string;
        problem?: { code: string };
        details?: { field: string; reason: string }[];
      };
    }> => {
      const api = await world.connect('api');
      // Nobody answers while a leader follows another.
      const answer = await until('an answer', () => api.request('cmd.execute', payload, { timeout: 10_000 }));
      await api.close();
      return { status: answer.headers?.get('Portolan-Status') ?? '', body: answer.json() };
    };
    const post = async (path: string, body: string, type = 'application/yaml') => {
      const response = await fetch(`${world.cluster.api}${path}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      const problem = (await response.json()) as {
        detail: string;
        code: string;
        errors: { field: string; value?: string; reason: string; expected?: string }[];
      };
      return { status: response.status, ...problem };
    };
    const group = (spec: string, version = ''): string =>
      `{ apiVersion: portolan.dev/v1, kind: PortGroup, metadata: { name: web${version} }, spec: { switch: prod, ports: 8, ${spec} } }`;
    let pids: (number | undefined)[];
    let revision: number;
    beforeAll(async () => {
      pids = pidsOfServices();
      revision = (await world.api.status()).revision;
    });
    afterAll(async () => {
      // All of it was refused by living processes, and nothing of it is in the log.
      expect(pidsOfServices()).toEqual(pids);
      const since = (await world.log()).filter((e) => e.revision > revision && e.actor !== 'operator');
      expect(since.filter((e) => !/^(host:|manager-|coordinator:)/.test(e.actor))).toEqual([]);
    });

    it.each([
      ['VLAN 4095', group('policy: { vlan: { mode: access, id: 4095 } }'), 422, /vlan/, /4095/],
      [
        'trunk ranges that overlap',
        group('policy: { vlan: { mode: trunk, ranges: [{ from: 1, to: 9 }, { from: 5, to: 20 }] } }'),
        422,
        /ranges/,
        undefined,
      ],
      [
        'an unknown uplink',
        group('policy: { teaming: { active: [uplink9], standby: [] } }'),
        422,
        /teaming/,
        /uplink9/,
      ],
      [
        'an unknown kind',
        '{ apiVersion: portolan.dev/v1, kind: Router, metadata: { name: r }, spec: {} }',
        422,
        /kind/,
        /Router/,
      ],
      ['a stale version', group('binding: static', ', version: 1'), 409, /version/, /1/],
    ])('%s: refused with field, value and reason', async (_what, body, status, field, value) => {
      const answer = await post('/v1/apply', body);
      expect(answer.status).toBe(status);
      const named = answer.errors.find((e) => field.test(e.field));
      expect(named?.reason).toMatch(/./);
      if (value !== undefined) expect(named!.value).toMatch(value);
    });

    it('malformed YAML: refused with the place', async () => {
      const answer = await post('/v1/apply', 'kind: [PortGroup\nspec: }');
      expect(answer).toMatchObject({
        status: 400,
        code: 'invalid',
        errors: expect.arrayContaining([
          expect.objectContaining({ reason: expect.stringMatching(/malformed YAML.*line 2/) }),
        ]),
      });
    });

    it('malformed and senseless commands on the leader’s subject: answered with what is wrong', async () => {
      expect(await ask('{"v":1,')).toMatchObject({
        status: 'problem',
        body: { code: 'invalid', message: expect.stringMatching(/JSON/) },
      });
      const senseless = await ask(
        text({
          v: 1,
          commandId: 'x',
          correlationId: 'x',
          actor: 'x',
          command: { type: 'Format', disk: 'all' },
        }),
      );
      expect(senseless).toMatchObject({
        status: 'problem',
        body: { code: 'invalid', details: [{ field: expect.stringContaining('command') }] },
      });
    });

    it('a command that is too large: refused with its size and the limit, at HTTP and at the leader', async () => {
      const padding = 'x'.repeat(1_010_000);
      const big = await ask(
        text({ v: 1, commandId: 'big', correlationId: 'big', actor: 'x', reason: padding, command: {} }),
      );
      expect(big).toMatchObject({
        status: 'problem',
        body: { code: 'invalid', message: expect.stringMatching(/\d+ bytes; up to \d+/) },
      });
      const hosts = (bytesEach: number, n: number): string =>
        Array.from(
          { length: n },
          (_, i) =>
            `---\n${text({ apiVersion: 'portolan.dev/v1', kind: 'Host', metadata: { name: `h${i}` }, spec: { labels: { note: 'n'.repeat(bytesEach) } } })}\n`,
        ).join('');
      // Smaller than a request may be, larger than a message: nothing on the way may choke on it.
      const answer = await post('/v1/apply', hosts(240, 6_000));
      expect([answer.status, answer.code]).toEqual([400, 'invalid']);
      expect(answer.detail).toMatch(/bytes/);
      const huge = await post('/v1/apply', 'x'.repeat(3 * 1024 * 1024));
      expect(huge).toMatchObject({ status: 413, detail: expect.stringContaining('bytes') });
    });

    it('a proposal of an episode that is over: refused as fenced, and nothing is done', async () => {
      const started = await world.api.send<WriteResult>('POST', '/v1/migrations', {
        owner: 'db-1',
        destination: 'alpha',
      });
      const id = started.changed.find((c) => c.kind === 'Migration')!.name;
      await until('it to complete', async () => (await world.api.migration(id)).phase === 'completed');
      const late = {
        type: 'AdvanceMigration',
        migration: id,
        episode: 1,
        from: 'admitted',
        to: 'prepared',
        evidence: {},
      };
      const answer = await ask(
        text({ v: 1, commandId: randomUUID(), correlationId: 'late', actor: 'late', command: late }),
      );
      expect(answer).toMatchObject({ status: 'ok', body: { ok: false, problem: { code: 'fenced' } } });
      expect((await world.api.migration(id)).phase).toBe('completed');
    });
  });

  describe('a commit that nobody can read', () => {
    const repudiate = (...args: string[]): Promise<Ran> =>
      node([join(ROOT, 'deploy', 'bin', 'repudiate.js'), ...args], {
        PORTOLAN_NATS_URL: `nats://127.0.0.1:${world.cluster.options.ports.nats}`,
        PORTOLAN_NATS_CREDENTIALS: join(world.cluster.options.home, 'credentials', 'manager.json'),
      });

    /** Appends what no sequencer wrote behind the last message, whatever is written meanwhile. */
    const plant = (make: (last: CommitEnvelope, lastBytes: Uint8Array) => Uint8Array) =>
      until('it to be planted', async () => {
        const jsm = await jetstreamManager(manager);
        const { last_seq } = (await jsm.streams.info('LOG')).state;
        const last = (await jsm.streams.getMessage('LOG', { seq: last_seq }))!;
        const planted = make(unwrap(decodeEnvelope(last.data)) as CommitEnvelope, last.data);
        await jetstream(manager).publish('log.commit', planted, { expect: { lastSequence: last_seq } });
        return {
          revision: unwrap(decodeEnvelope(last.data)).revision + 1,
          hash: sha256(planted),
          seq: last_seq + 1,
        };
      });
    const lastSeq = async (): Promise<number> =>
      (await (await jetstreamManager(manager)).streams.info('LOG')).state.last_seq;

    const futureVersion = (last: CommitEnvelope, lastBytes: Uint8Array): Uint8Array =>
      encodeEnvelope({
        ...last,
        type: COMMIT_TYPE,
        id: randomUUID(),
        commandid: randomUUID(),
        revision: (last.revision + 1) as never,
        prevhash: sha256(lastBytes),
        data: { events: [{ type: 'GroupDefined', v: 99, data: { name: 'web' } }] },
      });

    it.each([
      ['of a future version', futureVersion, /GroupDefined v99 is newer/],
      ['of garbage', () => bytes('garbage'), /JSON/],
    ])(
      '%s: all stop before it, say so and do nothing, until it is repudiated',
      async (_what, make, reason) => {
        const before = await world.api.status();
        const planted = await plant(make as typeof futureVersion);
        const services = ['switch-manager-1', 'switch-manager-2', 'migration-coordinator', 'operator-api'];
        for (const name of services) {
          const { checks } = await until(`${name} to stop`, async () => {
            const readiness = await world.ready(name);
            return readiness.checks['log']?.ok === false && readiness;
          });
          expect(checks['log']!.reason).toMatch(reason);
          expect(checks['log']!.reason).toContain(`revision ${planted.revision} `);
          expect(checks['log']!.reason).toContain(planted.hash);
        }
        const status = await until('nobody to lead', async () => {
          const now = await world.api.status();
          return now.leader === null && now;
        });
        expect(status.revision).toBe(planted.revision - 1);
        expect(text(status)).toContain(`revision ${planted.revision} `);
        expect(status.revision).toBeGreaterThanOrEqual(before.revision);
        // Reads are answered from what could be read; commands are refused; nothing is written.
        expect((await world.api.ports()).items.length).toBeGreaterThan(0);
        const refused = await world.api
          .apply(`{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: alpha }, spec: {} }`)
          .catch((e: unknown) => e);
        expect(refused).toMatchObject({ status: 503 });
        expect(await lastSeq()).toBe(planted.seq);

        const told = await repudiate();
        expect(told).toMatchObject({ code: 3, out: expect.stringContaining(planted.hash) });
        expect(told.out).toMatch(reason);
        const wrong = await repudiate('--hash', '0'.repeat(64), '--reason', 'x');
        expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('hash') });
        const silent = await repudiate('--hash', planted.hash);
        expect(silent).toMatchObject({ code: 1, err: expect.stringContaining('reason') });
        const done = await repudiate('--hash', planted.hash, '--reason', 'planted by a test');
        expect([done.code, done.err]).toEqual([0, '']);

        await until('a leader', async () => (await world.api.status()).leader !== null);
        for (const name of services)
          await until(`${name} to go on`, async () => (await world.ready(name)).ok);
        const written = await world.api.apply(
          `{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: alpha }, spec: { labels: { after: after-${planted.seq} } } }`,
        );
        expect(written.realised).toMatchObject({ realised: true });
        const { revision, digest } = await until('the end', () => world.api.status());
        const replayed = await world.api.replay(await world.api.exportLog(revision));
        expect([replayed.revision, replayed.digest]).toEqual([revision, digest]);
        expect(await repudiate()).toMatchObject({
          code: 0,
          out: expect.stringContaining('nothing stands in the way'),
        });
        expect(world.deaths).toEqual([]);
      },
    );
  });

  it('keeps secrets out of what people see', async () => {
    const logs = await Promise.all(
      ['switch-manager-1', 'operator-api', 'host-agent-alpha'].map((n) => world.logOf(n)),
    );
    const { password } = JSON.parse(
      await readFile(join(world.cluster.options.home, 'credentials', 'manager.json'), 'utf8'),
    ) as { password: string };
    for (const log of logs) expect(log).not.toContain(password);
  });
});
