import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  err,
  ok,
  problem,
  systemClock,
  unwrap,
  type Epoch,
  type HostName,
  type MigrationId,
  type PortId,
  type Result,
} from '#kernel';
import { type Checkpoint } from '#contracts';
import { type Fact } from '#domain';
import { type CommitLog, InMemoryLog } from '#event-store';
import {
  apply,
  hosts,
  lan,
  MemoryDocuments,
  refusedWith,
  report,
  request,
  startCopy,
  type Copy,
} from './cluster.fixture.js';

/** A log in whose place a copy can be put, which its readers are told as after a lost connection. */
function restorable(first: InMemoryLog): { log: InMemoryLog; putBack(copy: InMemoryLog): void } {
  let inner = first;
  const agains: (() => void)[] = [];
  const follow: CommitLog['follow'] = (from, handler, onEnd, onAgain) => {
    if (onAgain !== undefined) agains.push(onAgain);
    return inner.follow(from, handler, onEnd);
  };
  const log = new Proxy(first, {
    get: (_, name) => {
      if (name === 'follow') return follow;
      const value: unknown = Reflect.get(inner, name, inner);
      return typeof value === 'function' ? (value.bind(inner) as unknown) : value;
    },
  });
  const putBack = (copy: InMemoryLog): void => {
    inner = copy;
    for (const again of agains) again();
  };
  return { log, putBack };
}

/** Without its last messages. */
async function olderCopy(log: InMemoryLog, without: number): Promise<InMemoryLog> {
  const copy = new InMemoryLog();
  const last = (await log.last()) - without;
  for await (const batch of log.read(1))
    for (const { seq, topic, bytes } of batch)
      if (seq <= last) await copy.append({ id: `restored-${seq}`, topic, bytes }, seq - 1);
  return copy;
}

/** Lets promises and short timers run until it is so. */
async function until(what: string, check: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000; i += 1) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not so: ${what}`);
}

describe('a switch-manager', () => {
  let log: InMemoryLog;
  let documents: MemoryDocuments;
  let copies: Copy[];
  const start = async (name: string): Promise<Copy> => {
    const copy = await startCopy(name, log, documents);
    copies.push(copy);
    return copy;
  };
  const leading = async (name: string): Promise<Copy> => {
    const copy = await start(name);
    copy.elect();
    await until(`${name} to lead`, () => copy.manager.leads);
    return copy;
  };
  const done = async (copy: Copy, ...resources: object[]): Promise<number> => {
    const answer = await copy.manager.execute(request(apply(...resources)));
    if (!answer.ok) throw new Error(answer.problem.message);
    return answer.revision;
  };

  beforeEach(() => {
    log = new InMemoryLog();
    documents = new MemoryDocuments();
    copies = [];
  });
  afterEach(async () => {
    for (const copy of copies) await copy.stop();
  });

  it('answers nothing as a standby, and says why', async () => {
    const { manager } = await start('a');
    expect(refusedWith(await manager.execute(request(apply(...hosts('h1')))))).toMatch(
      /^unavailable: .*not lead/,
    );
    expect(refusedWith(manager.status() as never)).toMatch(/^unavailable/);
    expect(
      await manager.ingest({ schema: 1, host: 'h1' as HostName, boot: 'b', facts: [] }, '1'),
    ).toMatchObject({ ok: false });
  });

  it('leads when elected: decides, writes documents and a mark, tells its status', async () => {
    const { manager, active } = await leading('a');
    const revision = await done(copies[0]!, ...hosts('h1'), ...lan('h1'));
    await until('the mark', () => documents.body('s.mark')?.revision === revision);
    expect(documents.body('s.group.web')).toMatchObject({ revision, group: 'web' });
    expect(active).toEqual([true]);
    expect(manager.status()).toMatchObject({
      ok: true,
      status: { manager: 'a', role: 'leader', revision, hosts: [{ host: 'h1', state: 'unheard' }] },
    });
  });

  it('answers before it signs and writes what hosts get', async () => {
    const copy = await leading('a');
    const before = await done(copy, ...hosts('h1'), ...lan('h1'));
    await until('the mark', () => documents.body('s.mark')?.revision === before);
    const revision = await done(copy, ...hosts('h2'));
    expect(documents.body('s.mark')).toMatchObject({ revision: before });
    await until('the next mark', () => documents.body('s.mark')?.revision === revision);
  });

  it('gives the same answer to the same command, from the next leader too', async () => {
    const first = await leading('a');
    const command = request(apply(...hosts('h1')), 'once');
    const answer = await first.manager.execute(command);
    expect(await first.manager.execute(command)).toMatchObject({ ...answer, duplicate: true });
    first.lease = false;
    first.manager.lost('spec');
    const second = await leading('b');
    const again = await second.manager.execute(request(apply(...hosts('h2')), 'once'));
    expect(again).toMatchObject({
      ok: true,
      revision: (answer as { revision: number }).revision,
      duplicate: true,
    });
  });

  it('is fenced by another that wrote: it steps down, and begins anew only while the lease is its own', async () => {
    const first = await leading('a');
    await done(first, ...hosts('h1'));
    const second = await leading('b');
    first.lease = false;
    const late = await first.manager.execute(request(apply(...hosts('h2'))));
    expect(refusedWith(late)).toMatch(/^unavailable/);
    await until('a to step down', () => !first.manager.leads);
    expect(first.active).toEqual([true, false]);
    await done(second, ...hosts('h3'));
    expect([...second.follower.state.hosts.keys()].sort()).toEqual(['h1', 'h3']);
    expect(first.manager.leads).toBe(false);
  });

  it('a term that ended by itself is begun anew under the same lease', async () => {
    const first = await leading('a');
    const second = await leading('b');
    second.lease = false;
    second.manager.lost('spec');
    await until('b to end', () => !second.manager.leads);
    expect(refusedWith(await first.manager.execute(request(apply(...hosts('h1')))))).toMatch(/^unavailable/);
    await until('a to lead again', () => first.active.length === 3 && first.manager.leads);
    expect(first.active).toEqual([true, false, true]);
    await done(first, ...hosts('h1'));
  });

  it('ends a term whose commands can not be laid down, and gives one up whose commands can not be taken up', async () => {
    const a = await leading('a');
    a.failActive = 2;
    a.lease = false;
    a.manager.lost('the lease ran out');
    await until('a to lay its commands down', () => a.active.length === 2);
    a.elect();
    await until('a to lead again', () => a.manager.leads && a.active.length === 5);
    // Down (failed), up (failed), down again for the term that nobody could ask, and up.
    expect(a.active).toEqual([true, false, true, false, true]);
    expect(await done(a, ...hosts('alpha'))).toBeGreaterThan(0);
  });

  it('does not end a term for what an earlier one comes to know late', async () => {
    const first = await leading('a');
    const second = await leading('b');
    second.lease = false;
    second.manager.lost('spec');
    // Refused only when the next term of this copy is already on its way.
    const late = first.manager.execute(request(apply(...hosts('h1'))));
    first.manager.lost('spec');
    first.elect();
    expect(refusedWith(await late)).toMatch(/^unavailable/);
    await until('a to lead again', () => first.active.length >= 3);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(first.active).toEqual([true, false, true]);
    await done(first, ...hosts('h1'));
  });

  it('begins anew with nothing to write when another wrote who took himself for the leader for a moment', async () => {
    const first = await leading('a');
    await done(first, ...hosts('h1'));
    // A lease that was granted late, and is gone again: it leads, is asked something, and ends before hosts hear of it.
    const second = await start('b');
    documents.load = () => Promise.resolve(err(problem('unavailable', 'not now')));
    second.elect();
    await until('b to lead', () => second.manager.leads);
    const revision = await done(second, ...hosts('h2'), ...lan('h2'));
    documents.load = MemoryDocuments.prototype.load.bind(documents);
    second.lease = false;
    second.manager.lost('another holds the lease');
    await until(
      'what it did to be published',
      () => (documents.body('h.h2.host')?.revision ?? 0) >= revision,
    );
    expect(first.said.join('\n')).toContain('somebody else has written to the log');
  });

  it('most hosts ahead of the log: a new lineage; the word of one of them is not enough', async () => {
    const copy = await leading('a');
    await done(copy, ...hosts('h1'), ...lan('h1'));
    for (const name of ['h2', 'h3']) await done(copy, ...hosts(name));
    const lineageOf = (): string | null => {
      const now = copy.manager.status();
      return now.ok ? now.status.lineage : null;
    };
    const old = lineageOf()!;
    copy.manager.report('h1' as HostName, report('h1', old, 99));
    await done(copy, ...hosts('h1'));
    expect(lineageOf()).toBe(old);
    copy.manager.report('h2' as HostName, report('h2', old, 98));
    await until('a new lineage', () => lineageOf() !== null && lineageOf() !== old);
    expect(copy.said.join('\n')).toMatch(/most hosts report more than the log holds, up to 99/);
    // It is of the old lineage now, and counts for nothing.
    copy.manager.report('h3' as HostName, report('h3', old, 99));
    const now = lineageOf();
    await done(copy, ...hosts('h1'));
    expect(lineageOf()).toBe(now);
  });

  it('what most hosts said of an earlier lineage does not hide what was read of one that came back older', async () => {
    const { log: held, putBack } = restorable(log);
    log = held;
    const copy = await leading('a');
    const lineageOf = (): string | null => {
      const now = copy.manager.status();
      return now.ok ? now.status.lineage : null;
    };
    const other = async (than: string): Promise<string> => {
      await until('another lineage', () => lineageOf() !== null && lineageOf() !== than);
      return lineageOf()!;
    };
    await done(copy, ...hosts('h1', 'h2', 'h3'), ...lan('h1'));
    const first = lineageOf()!;
    for (const name of ['h1', 'h2']) copy.manager.report(name as HostName, report(name, first, 99));
    const second = await other(first);
    await done(copy, ...hosts('h4'));
    const revision = await done(copy, ...hosts('h5'));
    await copy.follower.waitFor(revision);
    // The documents are lost as well, or they would tell.
    documents.load = () => Promise.resolve(ok({ lastSeq: documents.lastSeq, documents: [] }));
    putBack(await olderCopy(log, 1));
    await other(second);
    expect(copy.follower.state.hosts.has('h5' as HostName)).toBe(false);
  });

  it.each([1, 2])(
    'documents %i ahead of the log: a new lineage, everything published under it, reports of the old one count for nothing',
    async (lost) => {
      const first = await leading('a');
      await done(first, ...hosts('h1'), ...lan('h1'));
      for (const name of ['h2', 'h3', 'h4']) await done(first, ...hosts(name));
      const status = first.manager.status();
      const old = status.ok ? status.status.lineage! : '';
      await until('all to be published', () => documents.body('h.h4.host') !== undefined);
      await first.stop();

      // The log is an older copy: it ends some commits earlier. One is enough, though whoever leads uses it up at once.
      log = await olderCopy(log, lost);
      const second = await leading('b');
      const lineageOf = (): string | null => {
        const now = second.manager.status();
        return now.ok ? now.status.lineage : null;
      };
      await until('a new lineage', () => lineageOf() !== null && lineageOf() !== old);
      await until('everything to be published anew', () =>
        ['s.mark', 's.group.web', 's.switch.lan', 'h.h1.host'].every(
          (key) => documents.body(key)?.lineage === lineageOf(),
        ),
      );
      expect(second.said.join('\n')).toMatch(/opening a new lineage/);
      second.manager.report('h1' as HostName, report('h1', old, 99));
      const standing = second.manager.status();
      expect(standing).toMatchObject({
        status: {
          realisedUpTo: 0,
          hosts: expect.arrayContaining([
            expect.objectContaining({ host: 'h1', state: 'other-lineage', realised: null }),
          ]),
        },
      });
    },
  );

  it('holds a coordinator’s evidence against what hosts reported here, and asks for patience, not for good', async () => {
    const { manager } = await leading('a');
    await done(copies[0]!, ...hosts('h1', 'h2'), ...lan('h1', 'h2'));
    const advance = request({
      type: 'AdvanceMigration',
      migration: 'm1' as MigrationId,
      episode: 1,
      from: 'admitted',
      to: 'prepared',
      evidence: { h1: 2 },
    });
    expect(refusedWith(await manager.execute(advance))).toMatch(/^unavailable: h1 .*not reported/);
    const status = manager.status();
    manager.report('h1' as HostName, report('h1', status.ok ? status.status.lineage! : '', 2));
    // Now the domain judges it: there is no such migration. The same id was not remembered as refused.
    expect(refusedWith(await manager.execute(advance))).toMatch(/^not-found/);
  });

  it('lets a batch of facts go that has a gap before it: it must not hold up the batch that fills the gap', async () => {
    const copy = await leading('a');
    await done(copy, ...hosts('h1'));
    const h1 = 'h1' as HostName;
    const say = (place: string, after: number, ...seqs: number[]) =>
      copy.manager.ingest(
        {
          schema: 1,
          host: h1,
          boot: 'a boot~'.repeat(18),
          after,
          facts: seqs.map((seq) => ({ seq, at: 1, fact: { type: 'Inventory', interfaces: [] } })),
        },
        place,
      );
    expect(await say('1', 1, 2)).toMatchObject({ ok: false, error: { code: 'unavailable', retry: false } });
    expect(await say('2', 0, 1)).toMatchObject({ value: 'taken' });
    // The stream was lost, and numbers its messages anew.
    expect(await say('1', 1, 2)).toMatchObject({ value: 'taken' });
    expect(await say('1', 2, 3)).toMatchObject({ value: 'taken' });
    await until('it to be known', () => copy.follower.state.hosts.get(h1)?.facts?.seq === 3);
  });

  it('closes a segment that its host has forgotten at the host’s last checkpoint; waits while that can’t be read', async () => {
    let answer: Result<Checkpoint | null> = err(problem('unavailable', 'not now'));
    const copy = await startCopy('a', log, documents, systemClock, () => Promise.resolve(answer));
    copies.push(copy);
    copy.elect();
    await until('a to lead', () => copy.manager.leads);
    await done(copy, ...hosts('h1'), ...lan('h1'));
    const none = { packets: 0, bytes: 0 };
    const raw = (packets: number) => ({
      in: { unicast: { packets, bytes: packets * 60 }, multicast: none, broadcast: none },
      out: { unicast: none, multicast: none, broadcast: none },
    });
    const iface = { ifaceId: 'i', mac: '02:00:00:00:00:01', profile: 'web', owner: 'vm', switch: 'lan' };
    let seq = 0;
    const say = (boot: string, ...facts: Fact[]) =>
      copy.manager.ingest(
        {
          schema: 1,
          host: 'h1' as HostName,
          boot,
          facts: facts.map((fact) => ({ seq: (seq += 1), at: 1, fact })),
        },
        `${seq}`,
      );
    await say('b', { type: 'InterfacePlugged', interface: { ...iface, kind: 'vm' } });
    const bound = () => [...copy.follower.state.ports.values()].find((p) => p.active !== null)?.id;
    await until('it to be bound', () => bound() !== undefined);
    const id = bound() as PortId;
    const opening = (incarnation: string): Fact => {
      return { type: 'SegmentOpened', port: id, epoch: 1 as Epoch, incarnation, raw: raw(0) };
    };
    expect(await say('b', opening('one'))).toMatchObject({ value: 'taken' });
    expect(await say('c', opening('two'))).toMatchObject({ value: 'later' });
    answer = ok({
      schema: 1,
      host: 'h1' as HostName,
      boot: 'b',
      time: 7,
      counters: [{ port: id, epoch: 1 as Epoch, incarnation: 'one', raw: raw(9) }],
    });
    expect(await say('c', opening('two'))).toMatchObject({ value: 'taken' });
    const segments = () => copy.follower.state.ports.get(id)?.ledger.segments ?? [];
    await until('it to be known', () => segments().length === 2);
    expect(segments()).toMatchObject([
      { incarnation: 'one', close: raw(9), inexact: { checkpointAt: 7 } },
      { incarnation: 'two', close: null },
    ]);

    // The same for one that its operator gives up.
    await say('c', { type: 'InterfaceUnplugged', ifaceId: 'i' });
    const giveUp = request({ type: 'GiveUpCounters', host: 'h1' as HostName, reason: 'burnt' });
    const last = unwrap(answer);
    answer = err(problem('unavailable', 'not now'));
    expect(refusedWith(await copy.manager.execute(giveUp))).toMatch(/^unavailable/);
    answer = ok({
      ...last!,
      time: 8,
      counters: [{ ...last!.counters[0]!, incarnation: 'two', raw: raw(4) }],
    });
    expect(await copy.manager.execute(giveUp)).toMatchObject({ ok: true });
    await until('it to be closed', () => segments()[1]?.close !== null);
    expect(segments()[1]).toMatchObject({ close: raw(4), inexact: { checkpointAt: 8 } });
    await until('it to be retired', () => copy.follower.state.ports.get(id)?.retiring.length === 0);
  });

  it('sums up what hosts realised by one event, which is not summed up in turn', async () => {
    const copy = await leading('a');
    const revision = await done(copy, ...hosts('h1'), ...lan('h1'));
    const status = copy.manager.status();
    const lineage = status.ok ? status.status.lineage! : '';
    copy.manager.report('h1' as HostName, report('h1', lineage, revision));
    await until('it to be summed up', () => copy.follower.state.realised >= revision);
    const summed = copy.follower.revision;
    for (let i = 1; i <= 3; i += 1)
      copy.manager.report('h1' as HostName, report('h1', lineage, summed, Date.now() + i));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(copy.follower.revision).toBe(summed);
  });

  it('waits for hosts concerned; a revision that is not there and a lineage that is no more are told apart', async () => {
    const copy = await leading('a');
    const revision = await done(copy, ...hosts('h1'), ...lan('h1'));
    const status = copy.manager.status();
    const lineage = status.ok ? status.status.lineage! : '';
    const ask = (more: object) =>
      copy.manager.wait(
        { v: 1, correlationId: 'w', revision: revision as never, timeoutMs: 2_000, ...more },
        5_000,
      );
    expect(refusedWith(await ask({ revision: 99 }))).toMatch(/^not-found/);
    expect(refusedWith(await ask({ lineage: '00000000-0000-4000-8000-000000000009' }))).toMatch(/^conflict/);
    const waiting = ask({});
    copy.manager.report('h1' as HostName, report('h1', lineage, revision));
    expect(await waiting).toMatchObject({ ok: true, outcome: { done: true, realised: ['h1'] } });
  });

  it('steps down before a commit that it can’t read, says so once, and does not lead until it is repudiated', async () => {
    const copy = await leading('a');
    await done(copy, ...hosts('h1'));
    await log.append(
      { id: 'garbage', topic: 'commit', bytes: new TextEncoder().encode('garbage') },
      await log.last(),
    );
    await until('it to step down', () => !copy.manager.leads && copy.active.at(-1) === false);
    const length = await log.last();
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(copy.manager.leads).toBe(false);
    expect(await log.last()).toBe(length);
    expect(copy.said.filter((line) => line.startsWith('can’t lead'))).toHaveLength(1);
  });
});
