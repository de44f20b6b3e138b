import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import { unwrap } from '#kernel';
import { LEASE } from '#domain';
import { parseLeaseAnswer, SUBJECTS, type LeaseAnswer } from '#contracts';
import { HOST_INBOX } from '#platform/accounts';
import { EXAMPLE, startWorld, until, type World } from './cluster.fixture.js';

/** A host whose agent is this test. */
const ME = 'delta';

interface Line {
  /** ms since the epoch. */
  readonly time: number;
  readonly msg: string;
}

/** web-1 on alpha and web-2 on bravo are of a group that isolates: their agents ask all the time. */
describe('leases while managers take over from each other', () => {
  let world: World;
  let me: NatsConnection;
  beforeAll(async () => {
    world = await startWorld({ accounts: [ME] });
    const example = await readFile(EXAMPLE, 'utf8');
    const host = `apiVersion: portolan.dev/v1\nkind: Host\nmetadata: { name: ${ME} }\nspec: {}\n---\n`;
    await world.api.apply(
      host + example.replace('name: web\nspec:\n', 'name: web\nspec:\n  partitionPolicy: isolate\n'),
    );
    me = await world.connect(`host.${ME}`);
    for (const agent of AGENTS)
      await until(`${agent} to have a lease`, async () => (await told(agent, 'the lease stands')).length > 0);
  });
  afterAll(() => world?.stop());

  const AGENTS = ['host-agent-alpha', 'host-agent-bravo'];
  const told = async (process: string, what: string): Promise<Line[]> =>
    (await world.logOf(process))
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly time: string; readonly msg: string })
      .filter(({ msg }) => msg.startsWith(what))
      .map(({ time, msg }) => ({ time: Date.parse(time), msg }));
  const other = (manager: string): string =>
    manager === 'switch-manager-1' ? 'switch-manager-2' : 'switch-manager-1';
  /** ms in which nobody led, each time. */
  const away: number[] = [];
  const follows = async (leader: string, since: number): Promise<void> => {
    const began = await until('the other to lead', async () =>
      (await told(other(leader), 'this copy leads')).map(({ time }) => time).find((time) => time >= since),
    );
    away.push(began - since);
  };

  /** All answers that come to one question, whenever they do. */
  const ask = async (): Promise<LeaseAnswer[]> => {
    const { lineage, revision: realised } = await world.api.status();
    const answers: LeaseAnswer[] = [];
    const reply = createInbox(HOST_INBOX);
    me.subscribe(reply, {
      callback: (_, { data }) => void answers.push(unwrap(parseLeaseAnswer(data))),
    });
    const question = { schema: 1, host: ME, boot: 'b', lineage, realised };
    me.publish(SUBJECTS.lease(ME), JSON.stringify(question), { reply });
    await me.flush();
    return answers;
  };
  const granted = () =>
    until('a question to be answered', async () => {
      const answers = await ask();
      await until('it', () => Promise.resolve(answers.length > 0), 1_000);
      return answers;
    });

  it('a leader that is killed: its successor grants them on', async () => {
    const first = await world.leader();
    expect(await granted()).toMatchObject([{ granted: true }]);
    const since = Date.now();
    await world.cluster.children.kill(first);
    await follows(first, since);
    expect(await granted()).toMatchObject([{ granted: true }]);
    await world.cluster.startManager(Number(first.at(-1)));
    await until('both to be ready', async () =>
      (await Promise.all([first, other(first)].map((m) => world.ready(m)))).every(({ ok }) => ok),
    );
  });

  it('a leader that slept until another led answers nothing of what it was asked meanwhile', async () => {
    const sleeper = await world.leader();
    const since = Date.now();
    world.cluster.children.signal(sleeper, 'SIGSTOP');
    // It still holds the lease of leaders: nobody else may answer yet.
    const asleep = await ask();
    await follows(sleeper, since);
    const between = await granted();
    const answered = asleep.length;
    world.cluster.children.signal(sleeper, 'SIGCONT');
    await until('it to step down', async () => (await told(sleeper, 'this copy no longer leads')).length > 0);
    const after = await granted();
    expect(asleep).toHaveLength(answered);
    expect([between, after]).toMatchObject([[{ granted: true }], [{ granted: true }]]);
  });

  it('agents that were in touch with them all the time kept their ports open', async () => {
    expect(world.deaths).toEqual([]);
    // On a machine that stood still for so long that nobody led meanwhile, they are closed rightly.
    const isSpared = Math.max(...away) < LEASE.rowSeconds * 1_000 - 3 * LEASE.everyMs;
    const closed = (await Promise.all(AGENTS.map((agent) => told(agent, 'there is no lease')))).flat();
    if (isSpared) expect(closed).toEqual([]);
  });
});
