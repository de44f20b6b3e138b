import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { KEYS, STREAMS, SUBJECTS } from '#contracts';
import { type PortDescription } from '#contracts/http';
import { Seen } from '../chaos/support/seen.js';
import { LIMIT_MS, startWorld, until as soon, type World } from './cluster.fixture.js';

const ME = 'mallory';
/** On a machine that is busy with other things, too. */
const until: typeof soon = (what, check) => soon(what, check, LIMIT_MS);
const text = (value: unknown): string => JSON.stringify(value);
const SERVICES = ['switch-manager-1', 'switch-manager-2', 'operator-api', 'migration-coordinator'];

/** Somebody with the credentials of one host, against the real server, accounts and services. */
describe('a host that lies', () => {
  let world: World;
  let mallory: NatsConnection;
  let manager: NatsConnection;
  let lineage: string;
  let revision: number;
  let n = 0;
  /** What a fact of another host's port would be about. */
  let victim: { id: string; epoch: number; iface: string; mac: string; owner: string };

  beforeAll(async () => {
    world = await startWorld({ accounts: [ME] });
    await world.apply();
    await world.api.apply(`{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: ${ME} }, spec: {} }`);
    mallory = await world.connect(`host.${ME}`);
    manager = await world.connect('manager');
    const [port] = (await world.api.ports('?owner=web-1')).items;
    const { active, connectee } = port!.status;
    victim = {
      id: port!.metadata.name,
      epoch: active!.epoch,
      iface: connectee!.ifaceId,
      mac: connectee!.mac,
      owner: connectee!.owner,
    };
    await until('rest', async () => {
      const before = await world.api.status();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const after = await world.api.status();
      ({ lineage, revision } = { lineage: after.lineage!, revision: after.revision });
      return before.revision === after.revision;
    });
  });
  afterAll(() => world.stop());

  const pids = (): unknown[] => SERVICES.map((name) => world.cluster.children.pidOf(name));

  /** Everything that is not the attacker's: what is wanted and bound, and every document, as it is stored. */
  const rest = async (): Promise<unknown> => {
    const others = (await world.api.hosts()).items.filter((h) => h.metadata.name !== ME);
    const jsm = await jetstreamManager(manager);
    const { subjects = {} } = (
      await jsm.streams.info(STREAMS.documents, { subjects_filter: SUBJECTS.doc('>') })
    ).state;
    const documents: unknown[] = [];
    for (const subject of Object.keys(subjects).sort()) {
      if (subject.startsWith(`doc.h.${ME}.`) || subject === SUBJECTS.doc(KEYS.mark)) continue;
      const { seq, data } = (await jsm.streams.getMessage(STREAMS.documents, { last_by_subj: subject }))!;
      documents.push([subject, seq, Buffer.from(data).toString('base64')]);
    }
    return {
      hosts: others.map((h) => [h.metadata, h.spec, h.status.ports, h.status.exceptions, h.status.drift]),
      ports: (await world.api.ports()).items,
      documents,
    };
  };

  const refused = async (kind: string): Promise<number> => {
    const { refused: all = [] } = await world.api.status();
    return all.find((r) => r.host === ME && r.kind === kind)?.count ?? 0;
  };

  /** Whether another host told of itself since: what changed of it is its own doing. */
  const othersSpoke = async (since: number): Promise<boolean> => {
    const commits = (await world.log()).filter((commit) => commit.revision > since);
    return commits
      .flatMap(({ data }) => ('events' in data ? data.events : []))
      .some(({ type, data }) => type === 'FactsAccepted' && (data as { host: string }).host !== ME);
  };

  /** Does it, and holds that nothing of others changed; again, where they changed something themselves meanwhile. */
  const undisturbed = async (act: () => unknown): Promise<void> => {
    const alive = pids();
    for (;;) {
      const since = (await world.api.status()).revision;
      const before = await rest();
      await act();
      const after = await rest();
      if (text(after) !== text(before) && (await othersSpoke(since))) continue;
      expect(after).toEqual(before);
      expect(pids()).toEqual(alive);
      expect(world.deaths).toEqual([]);
      return;
    }
  };

  /** The same, and that it is counted as this: by the one who leads, who may be another by then and begins at nothing. */
  const attempt = (kind: string, act: () => unknown): Promise<void> =>
    undisturbed(async () => {
      const isCounted = async (): Promise<boolean> => {
        const { leader } = await world.api.status();
        const counted = await refused(kind);
        await act();
        return until(`${kind} to be counted`, async () => {
          if ((await refused(kind)) > counted) return 'counted';
          return (await world.api.status()).leader !== leader && 'elsewhere';
        }).then((how) => how === 'counted');
      };
      while (!(await isCounted()));
    });

  const report = (more: object = {}): string =>
    text({
      schema: 1,
      host: ME,
      lineage,
      boot: 'evil',
      realised: revision,
      received: revision,
      exceptions: [],
      time: Date.now(),
      n: (n += 1),
      version: 'evil',
      driver: 'simulated',
      ...more,
    });
  const say = (payload: string | Uint8Array): void => mallory.publish(SUBJECTS.report(ME), payload);
  let seq = 0;
  const facts = (...all: object[]): string =>
    text({
      schema: 1,
      host: ME,
      boot: 'evil',
      facts: all.map((fact) => ({ seq: (seq += 1), at: Date.now(), fact })),
    });
  const tell = async (payload: string | Uint8Array): Promise<string> =>
    (await mallory.request(SUBJECTS.fact(ME), payload, { timeout: LIMIT_MS })).string();

  it('is kept from the subjects of others by the server, which says so', async () => {
    const violations = async (): Promise<number> =>
      (await world.logOf('nats-server')).split('Violation').length - 1;
    const at = await violations();
    const subjects = [
      SUBJECTS.report('alpha'),
      SUBJECTS.fact('alpha'),
      SUBJECTS.checkpoint('alpha'),
      SUBJECTS.telemetry('alpha'),
      SUBJECTS.doc(KEYS.host('alpha')),
      SUBJECTS.live(KEYS.host('alpha')),
      SUBJECTS.log('commit'),
      SUBJECTS.command('execute'),
      '$JS.API.STREAM.PURGE.DOC',
      '$JS.API.CONSUMER.CREATE.LOG',
      '$KV.LEASE.sequencer',
      '_INBOX.manager.1',
    ];
    await undisturbed(async () => {
      for (const subject of subjects) mallory.publish(subject, report({ host: 'alpha' }));
      for (const subject of ['live.doc.h.alpha.>', 'cmd.>', 'report.*', '_INBOX.manager.>', '>'])
        mallory.subscribe(subject, { callback: () => undefined });
      await mallory.flush();
      await until('the server to say so', async () => (await violations()) >= at + subjects.length);
    });
  });

  it('aims the answers to what it may ask at others: they do not arrive', async () => {
    const heard: string[] = [];
    for (const subject of ['cmd.>', 'report.alpha', '_INBOX.manager.aimed'])
      manager.subscribe(subject, { callback: (_, m) => void heard.push(m.subject) });
    await manager.flush();
    const targets = [
      SUBJECTS.doc(KEYS.host('alpha')),
      SUBJECTS.command('execute'),
      SUBJECTS.report('alpha'),
      SUBJECTS.fact('alpha'),
      SUBJECTS.log('commit'),
      '$JS.API.STREAM.DELETE.DOC',
      '$JS.API.STREAM.MSG.DELETE.DOC',
      '$JS.ACK.FACT.x.1.1.1.1.1',
      '_INBOX.manager.aimed',
      '_INBOX.api.aimed',
    ];
    await attempt('malformed', async () => {
      for (const reply of targets) {
        mallory.publish(SUBJECTS.fact(ME), '{}', { reply });
        mallory.publish(SUBJECTS.checkpoint(ME), '{}', { reply });
        mallory.publish(SUBJECTS.directGet(KEYS.mark), '', { reply });
        mallory.publish(SUBJECTS.report(ME), report(), { reply });
      }
      await tell('{}');
      await manager.flush();
    });
    // What the services say to each other all the time.
    const usual = /^cmd\.(status|lease\.\w+)$/;
    expect(heard.filter((subject) => !usual.test(subject))).toEqual([]);
  });

  it.each([
    ['ahead', () => report({ realised: revision + 1_000_000, received: revision + 1_000_000 })],
    ['other-host', () => report({ host: 'alpha' })],
    ['other-lineage', () => report({ lineage: randomUUID() })],
    ['stale', () => report({ n: 1 })],
  ])('reports what is not so: %s', (kind, forged) =>
    attempt(kind, async () => {
      say(report());
      say(forged());
      await mallory.flush();
    }),
  );

  const deep = '['.repeat(200_000);
  it.each([
    ['bad JSON', 'malformed', '{"schema":1,'],
    ['binary', 'malformed', new Uint8Array([0, 255, 254, 1, 0])],
    ['nothing', 'malformed', ''],
    ['deep nesting', 'malformed', deep],
    ['wrong types', 'malformed', text({ schema: 1, host: ME, boot: 7, facts: { length: 1e9 } })],
    ['a prototype', 'malformed', '{"schema":1,"__proto__":{"ok":true},"constructor":1}'],
    ['a giant string', 'malformed', text({ schema: 1, host: 'x'.repeat(400_000), boot: 'b', facts: [] })],
    [
      'an epoch of no kind',
      'malformed',
      text({
        schema: 1,
        host: ME,
        boot: 'b',
        facts: [{ seq: 1, at: 1, fact: { type: 'PortActivated', port: 'p1', epoch: 1e400 } }],
      }),
    ],
  ])('says what nobody can read, as facts and as reports: %s', async (_what, kind, payload) => {
    await attempt(kind, () => tell(payload));
    await attempt(kind, () => say(payload));
  });

  it('says more than a message may hold: the server takes no such facts, and reports are not read', async () => {
    const large = text({ schema: 1, host: ME, boot: 'b', facts: [], pad: 'x'.repeat(600_000) });
    expect(await tell(large)).toMatch(/exceeds maximum/);
    await attempt('oversized', () => say(large));
  });

  it('puts headers of the stream on its facts: none of them does anything', async () => {
    const h = headers();
    h.set('Nats-Rollup', 'all');
    h.set('Nats-Expected-Stream', 'DOC');
    await undisturbed(async () => {
      const answer = await mallory.request(SUBJECTS.fact(ME), '{}', { headers: h, timeout: LIMIT_MS });
      expect(answer.string()).toMatch(/"error"/);
    });
  });

  it.each([
    ['fact:fenced', () => ({ type: 'PortActivated', port: victim.id, epoch: victim.epoch })],
    ['fact:fenced', () => ({ type: 'PortActivated', port: victim.id, epoch: victim.epoch + 1 })],
    ['fact:fenced', () => ({ type: 'SegmentOpened', ...segment(0) })],
    ['fact:fenced', () => ({ type: 'SegmentClosed', ...segment(1e9) })],
    ['fact:fenced', () => ({ type: 'SegmentClosed', ...segment(1e9), port: 'p999999' })],
    ['fact:not-member', () => ({ type: 'InterfacePlugged', interface: claimed() })],
    ['fact:not-member', () => ({ type: 'Inventory', interfaces: [claimed()] })],
  ])('tells of ports of others: %s', (kind, fact) => attempt(kind, () => tell(facts(fact()))));

  const segment = (packets: number): object => {
    const none = { packets: 0, bytes: 0 };
    const direction = { unicast: { packets, bytes: packets * 64 }, multicast: none, broadcast: none };
    const { id: port, epoch } = victim;
    return { port, epoch, incarnation: 'forged', raw: { in: direction, out: direction } };
  };
  const claimed = (): object => {
    const { iface: ifaceId, mac, owner } = victim;
    return { ifaceId, mac, owner, profile: 'web', kind: 'vm', switch: 'prod' };
  };

  it('tells anew of a binding that it once had: its ledger stays as it was closed', async () => {
    await world.api.apply(
      `{ apiVersion: portolan.dev/v1, kind: StandardSwitch, metadata: { name: own }, spec: { members: { ${ME}: {} } } }
---
{ apiVersion: portolan.dev/v1, kind: PortGroup, metadata: { name: own }, spec: { switch: own, binding: static, ports: 1 } }`,
      0,
    );
    const mine = async () => (await world.api.ports('?owner=own-1')).items[0];
    const iface = { ifaceId: 'own-1-eth0', mac: '02:00:00:00:09:01', owner: 'own-1', kind: 'vm' };
    await tell(facts({ type: 'InterfacePlugged', interface: { ...iface, profile: 'own', switch: 'own' } }));
    const { metadata, status } = await until('its own port', async () => {
      const port = await mine();
      return port?.status.active?.host === ME && port;
    });
    const { epoch } = status.active!;
    const said = (packets: number) => ({ ...segment(packets), port: metadata.name, epoch });
    await tell(
      facts(
        { type: 'SegmentOpened', ...said(0) },
        { type: 'InterfaceUnplugged', ifaceId: iface.ifaceId },
        { type: 'SegmentClosed', ...said(7) },
      ),
    );
    await until('it to be let go', async () => {
      const now = (await mine())?.status;
      return now?.active === null && now.retiring.length === 0;
    });
    await tell(facts({ type: 'SegmentClosed', ...said(1e9) }));
    const again = { ...said(1e9), incarnation: 'another' };
    await attempt('fact:fenced', () => tell(facts({ type: 'SegmentOpened', ...again })));
    await attempt('fact:fenced', () => tell(facts({ type: 'PortActivated', port: metadata.name, epoch })));
    expect((await world.api.stats(metadata.name)).in.packets).toBe(7);
  });

  it('says that guests of others are gone: they are not', async () => {
    await undisturbed(async () => {
      await tell(
        facts({ type: 'InterfaceUnplugged', ifaceId: victim.iface }, { type: 'Inventory', interfaces: [] }),
      );
      const at = seq;
      await until('the log to have it', async () => {
        const events = (await world.log()).flatMap(({ data }) => ('events' in data ? data.events : []));
        return events.some(({ type, data }) => {
          const { host, seq: accepted = 0 } = data as { host?: string; seq?: number };
          return type === 'FactsAccepted' && host === ME && accepted >= at;
        });
      });
    });
  });

  it('speaks for another host in the body of its facts', () =>
    attempt('other-host', () => tell(facts({ type: 'Inventory', interfaces: [] }).replace(ME, 'alpha'))));

  it('tells counters of ports of others, in its own name and in theirs: nobody counts them', async () => {
    const counted = async (): Promise<number> => {
      const metrics = await (await fetch(`${world.cluster.api}/metrics`)).text();
      return Number(/refused_total\{host="mallory",kind="other-host"[^}]*\} (\d+)/.exec(metrics)?.[1] ?? 0);
    };
    const { epoch, id: port } = victim;
    const { segments } = (await world.api.get<PortDescription>(`/v1/ports/${port}`)).ledger;
    const { raw } = segment(1e12) as { raw: object };
    // Under the very name that the true one goes by.
    const counters = [{ port, epoch, incarnation: segments.at(-1)!.incarnation, raw }];
    const told = (host: string): string => {
      const said = { schema: 1, host, boot: 'evil', time: Date.now() + 60_000, counters };
      return text({ ...said, vms: [], interfaces: [], uplinks: [] });
    };
    const send = (host: string): void => {
      mallory.publish(SUBJECTS.telemetry(ME), told(host));
      const {
        vms: _vms,
        interfaces: _i,
        uplinks: _u,
        ...checkpoint
      } = JSON.parse(told(host)) as Record<string, unknown>;
      mallory.publish(SUBJECTS.checkpoint(ME), text(checkpoint));
    };
    await undisturbed(async () => {
      const at = await counted();
      for (const host of ['alpha', ME]) send(host);
      await until('it to be counted', async () => (await counted()) > at);
      expect((await world.api.stats(port)).in.packets).toBeLessThan(1e9);
      // A host that is given up closes what it owes by what it last told, and nothing of others.
      const given = await world.cli('host', 'give-up', ME, '--reason', 'it lies');
      expect(`${given.out}${given.err}`).toMatch(/./);
      expect((await world.api.stats(port)).in.packets).toBeLessThan(1e9);
    });
  });

  it('tells old facts again, leaves some out, and begins a numbering anew', async () => {
    const old = facts({ type: 'Inventory', interfaces: [] });
    await tell(old);
    await attempt('repeat', () => tell(old));
    await attempt('gap', () =>
      tell(
        text({
          schema: 1,
          host: ME,
          boot: 'evil',
          after: seq + 50,
          facts: [{ seq: seq + 51, at: 1, fact: { type: 'Inventory', interfaces: [] } }],
        }),
      ),
    );
    await tell(
      text({
        schema: 1,
        host: ME,
        boot: 'evil2',
        facts: [{ seq: 1, at: 1, fact: { type: 'Inventory', interfaces: [] } }],
      }),
    );
    await attempt('repeat', () => tell(old));
  });

  it('refuses ten thousand facts at once: the log gets a line for the most of them', async () => {
    const size = async (): Promise<number> =>
      (await (await jetstreamManager(manager)).streams.info(STREAMS.log)).state.bytes;
    const at = await size();
    const many = Array.from({ length: 5_000 }, () => ({ type: 'PortActivated', port: victim.id, epoch: 1 }));
    seq = 10_000;
    await attempt('fact:many', () => tell(facts(...many).replace('"evil"', '"evil2"')));
    expect((await size()) - at).toBeLessThan(100_000);
  });

  it('floods: others are served meanwhile, and it is not read any more', async () => {
    const before = await rest();
    let flooding = true;
    const flood = (async () => {
      const small = report();
      const batch = text({
        schema: 1,
        host: ME,
        boot: 'evil2',
        facts: [{ seq: 1, at: 1, fact: { type: 'Inventory', interfaces: [] } }],
      });
      while (flooding) {
        for (let i = 0; i < 200; i += 1) {
          say(small);
          mallory.publish(SUBJECTS.fact(ME), batch);
          mallory.publish(SUBJECTS.telemetry(ME), small);
        }
        await mallory.flush();
      }
    })();
    await until('the flood to be noticed', async () => (await refused('flood')) > 1_000);
    const applied = await world.api.apply(
      `{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: alpha }, spec: { labels: { in: flood } } }`,
    );
    expect(applied.realised).toMatchObject({ realised: true });
    flooding = false;
    await flood;
    expect(world.deaths).toEqual([]);
    const after = (await rest()) as { ports: unknown };
    expect(after.ports).toEqual((before as { ports: unknown }).ports);
  });

  it('leaves a service that lives on, carries out policy, and shows all of it to operators', async () => {
    const moved = await world.cli('migrate', 'web-1', '--to', 'charlie', '--wait');
    expect([moved.code, moved.err]).toEqual([0, '']);
    await new Seen(world, 'hostile-host').at('after all that', 'status');
    const status = await world.cli('status');
    expect(status.out).toMatch(/of mallory: flood/);
    expect(status.out).toMatch(/of mallory: fact:fenced/);
    const { refused: all = [] } = await world.api.status();
    expect(new Set(all.map((r) => r.host))).toEqual(new Set([ME]));
    const metrics = await (await fetch(`${world.cluster.api}/metrics`)).text();
    expect(metrics).toMatch(/portolan_host_messages_refused_total\{host="mallory",kind="flood"/);
  });
});
