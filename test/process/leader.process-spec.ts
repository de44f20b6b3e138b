import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { messagesOfLines, replay, type CommitEnvelope } from '#event-store';
import { clusterRules } from '#runtime';
import { startWorld, until, type World } from './cluster.fixture.js';

interface Answer {
  readonly status: number;
  readonly body: { readonly revision?: number; readonly repeated?: boolean; readonly code?: string };
}

/** One command of an outside client: a host's label gets a new value. One commit each. */
async function command(world: World, key: string, label: string): Promise<Answer> {
  const body = `{ apiVersion: portolan.dev/v1, kind: Host, metadata: { name: charlie }, spec: { labels: { run: ${label} } } }`;
  const response = await fetch(`${world.cluster.api}/v1/apply`, {
    method: 'POST',
    headers: { 'content-type': 'application/yaml', 'idempotency-key': key },
    body,
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** A client that gives one command after the other until told to stop, and keeps every answer. */
function stream(world: World, prefix: string) {
  const answers = new Map<string, Answer>();
  let going = true;
  const run = (async () => {
    for (let n = 0; going; n += 1)
      answers.set(`${prefix}-${n}`, await command(world, `${prefix}-${n}`, `${prefix}${n}`));
  })();
  return {
    /** Resolves when so many more have been accepted from now on. */
    more: async (n: number): Promise<void> => {
      const goal = accepted(answers).length + n;
      await until(`${n} more commands`, async () => accepted(answers).length >= goal);
    },
    stop: async (): Promise<Map<string, Answer>> => {
      going = false;
      await run;
      return answers;
    },
  };
}

const accepted = (answers: Map<string, Answer>): [string, Answer][] =>
  [...answers].filter(([, a]) => a.status === 200);

/** Every command that was acknowledged stands in the log once, at the revision that was said; no other stands twice. */
async function expectOnceEach(world: World, answers: Map<string, Answer>): Promise<CommitEnvelope[]> {
  const log = await world.log();
  const at = new Map<string, number[]>();
  for (const e of log) at.set(e.commandid, [...(at.get(e.commandid) ?? []), e.revision]);
  for (const [key, { body }] of accepted(answers)) expect([key, at.get(key)]).toEqual([key, [body.revision]]);
  for (const [key, revisions] of at) expect([key, revisions.length]).toEqual([key, 1]);
  return log;
}

describe('leader and standby', () => {
  let world: World;
  /** A command that the first leader accepted. */
  let known: [string, Answer];
  beforeAll(async () => {
    world = await startWorld();
    await world.apply();
  });
  afterAll(() => world.stop());

  it('a leader that is killed is followed by the standby; every acknowledged command is in the log once', async () => {
    const first = await world.leader();
    const client = stream(world, 'kill');
    await client.more(20);
    await world.cluster.children.kill(first);
    await client.more(20);
    const answers = await client.stop();
    expect(await world.leader()).not.toBe(first);
    known = accepted(answers)[0]!;
    await expectOnceEach(world, answers);
  });

  it('a command repeated under its key, also at the next leader, gets the first answer and makes no commit', async () => {
    const [key, { body }] = known;
    const again = await command(world, key, 'something-else');
    expect(again).toMatchObject({ status: 200, body: { revision: body.revision, repeated: true } });
    expect((await world.log()).filter((e) => e.commandid === key)).toHaveLength(1);
  });

  it('a leader that slept longer than its lease steps down, and the log has one history', async () => {
    const number = (await world.leader()) === 'switch-manager-1' ? 2 : 1;
    await world.cluster.startManager(number);
    await until('both managers to be ready', async () => {
      const all = await Promise.all(['switch-manager-1', 'switch-manager-2'].map((m) => world.ready(m)));
      return all.every((r) => r.ok);
    });
    const sleeper = await world.leader();
    const client = stream(world, 'sleep');
    await client.more(5);
    const said = (await world.logOf(sleeper)).length;
    world.cluster.children.signal(sleeper, 'SIGSTOP');
    try {
      await until('the other to lead', async () => {
        const { leader } = await world.api.status();
        return leader !== null && `switch-${leader}` !== sleeper;
      });
    } finally {
      world.cluster.children.signal(sleeper, 'SIGCONT');
    }
    await until('the sleeper to step down', async () =>
      (await world.logOf(sleeper)).slice(said).includes('no longer leads'),
    );
    await client.more(10);
    const answers = await client.stop();
    const log = await expectOnceEach(world, answers);
    // One chain, every revision once: no fork.
    expect(log.map((e) => e.revision)).toEqual(log.map((_, i) => i + 1));
    const whole = replay(messagesOfLines(log.map((e) => JSON.stringify(e)).join('\n')), clusterRules);
    expect(whole.ok).toBe(true);
    expect(world.deaths).toEqual([]);
  });
});
