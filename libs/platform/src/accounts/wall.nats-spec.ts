import { KEYS, SUBJECTS } from '#contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aims, expectAimMissed, forbiddenToAsk } from './attacks.fixture.js';
import { ask, World } from './world.fixture.js';

/** The hosts' users without any permission list: all is allowed inside their accounts, so the wall stands alone. */
const withoutPermissions = (config: string): string =>
  config.replace(/(user: "host\.[^"]+", password: "[^"]+"), permissions: \{.*\} \}/g, '$1 }');

let world: World;
beforeAll(async () => {
  world = await World.start(['a', 'b'], withoutPermissions);
});
afterAll(() => world.stop());

describe('the wall around a host account', () => {
  it('is tested without permissions', async () => {
    const nc = await world.agent('a');
    const own = nc.subscribe('anything');
    nc.publish('anything', 'mine');
    for await (const m of own) {
      expect(m.string()).toBe('mine');
      break;
    }
    expect(JSON.parse(await ask(nc, SUBJECTS.fact('a'), 'fact'))).toMatchObject({ stream: 'FACT' });
  });

  it.each(forbiddenToAsk('a', 'b'))('holds against asking for or writing %s', async (_what, subject) => {
    const body = JSON.stringify({ last_by_subj: SUBJECTS.doc(KEYS.host('b')) });
    const before = await world.stored('DOC', SUBJECTS.doc(KEYS.host('a')));
    // The server's API hears every account; it answers that this one has no streams, or not at all.
    expect(await ask(await world.agent('a'), subject, body, 300)).toMatch(
      /^(RequestError|NoRespondersError|TimeoutError)$|"JetStream not enabled for account"/,
    );
    expect(await world.stored('DOC', SUBJECTS.doc(KEYS.host('a')))).toBe(before);
  });

  it.each(aims('b'))('holds against a reply aimed at %s', (target) =>
    expectAimMissed(world, 'a', 'b', target),
  );

  it('lets nothing of others through to one who listens to everything', async () => {
    const nc = await world.agent('a');
    const heard: string[] = [];
    nc.subscribe('>', { callback: (error, m) => void heard.push(error?.message ?? m.subject) });
    await nc.flush();
    const js = await world.js();
    await js.publish(SUBJECTS.doc(KEYS.host('b')), 'secret of b');
    await ask(await world.agent('b'), SUBJECTS.fact('b'), 'fact of b');
    await js.publish('log.spec', 'commit');
    await js.publish(SUBJECTS.doc(KEYS.mark), 'mark');
    await nc.flush();
    expect(heard).toEqual([SUBJECTS.live(KEYS.mark)]);
  });
});
