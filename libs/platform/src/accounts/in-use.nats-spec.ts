import { systemClock, unwrap } from '#kernel';
import { SUBJECTS } from '#contracts';
import { Election, JetStreamLog } from '#event-store/jetstream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { coreInbox, type CoreUser } from './names.js';
import { World } from './world.fixture.js';

let world: World;
/** What a test opened; closed at the end whatever became of the test. */
const opened: { close(): unknown }[] = [];
beforeAll(async () => {
  world = await World.start(['a', 'b']);
});
afterAll(async () => {
  for (const one of opened) await one.close();
  await world.stop();
});

/** Stands for election; resolves when elected, rejects at the first fault. */
async function elected(user: CoreUser, role: string): Promise<Election> {
  const nc = await world.as(user);
  return new Promise((resolve, reject) => {
    const election = new Election({
      nc,
      clock: systemClock,
      role,
      holder: `${user}-1`,
      ttlMs: 2_000,
      onElected: () => resolve(election),
      onLost: () => undefined,
      onFault: reject,
    });
    opened.push(election);
    election.start().then(unwrap, reject);
  });
}

describe('the rights suffice for what the services do', () => {
  it('the manager appends, all read', async () => {
    const logs = new Map<CoreUser, JetStreamLog>();
    for (const user of ['manager', 'coordinator', 'api'] as const) {
      const log = await JetStreamLog.open(await world.as(user), {
        inboxPrefix: coreInbox(user),
        ackTimeoutMs: 500,
      });
      opened.push(log);
      logs.set(user, log);
    }
    const bytes = new TextEncoder().encode('{}');
    const last = (await logs.get('manager')?.last()) ?? 0;
    const stored = await logs.get('manager')?.append({ id: 'c1', topic: 'commit' as never, bytes }, last);
    expect(stored).toMatchObject({ ok: true });
    for (const log of logs.values()) {
      const seen: string[] = [];
      for await (const batch of log.read(last + 1)) seen.push(...batch.map((m) => String(m.seq)));
      expect(seen).toEqual([String(last + 1)]);
    }
    const refused = await logs.get('api')?.append({ id: 'c2', topic: 'commit' as never, bytes }, last + 1);
    expect(refused?.ok).toBe(false);
  });

  it('the manager and the coordinator hold their leases, in one bucket', async () => {
    const leads = [await elected('manager', 'sequencer'), await elected('coordinator', 'coordinator')];
    expect(leads.map((election) => election.leads)).toEqual([true, true]);
    for (const election of leads) await election.close();
  });

  it('the coordinator can not take the lease of the sequencer, even when nobody has it', async () => {
    await expect(elected('coordinator', 'sequencer')).rejects.toThrow();
  });
});

describe('headers that steer a stream', () => {
  const withHeader = (name: string, value: string): MsgHdrs => {
    const h = headers();
    h.set(name, value);
    return h;
  };

  it.each(['sub', 'all'])('let no host roll up (%s) what others wrote', async (scope) => {
    const [a, b] = [await world.agent('a'), await world.agent('b')];
    await b.request(SUBJECTS.checkpoint('b'), 'of b', { timeout: 10_000 });
    const answer = await a.request(SUBJECTS.checkpoint('a'), 'of a', {
      timeout: 10_000,
      headers: withHeader('Nats-Rollup', scope),
    });
    expect(answer.string()).toContain('error');
    expect(await world.stored('CKPT', SUBJECTS.checkpoint('b'))).toBe('of b');
  });

  it('share one window of message ids: that is why agents send none', async () => {
    const [a, b] = [await world.agent('a'), await world.agent('b')];
    const options = { timeout: 10_000, headers: withHeader('Nats-Msg-Id', 'guessed') };
    await a.request(SUBJECTS.fact('a'), 'of a', options);
    const answer = await b.request(SUBJECTS.fact('b'), 'of b', options);
    expect(answer.string()).toContain('"duplicate": true');
    const jsm = await jetstreamManager(await world.as('manager'));
    expect((await jsm.streams.info('FACT', { subjects_filter: 'fact.b' })).state.subjects).toBeUndefined();
  });
});
