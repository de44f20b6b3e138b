import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '#kernel';
import { type OfMessage } from '#openflow';
import { Peer } from '../fixtures/peer.fixture.js';
import { type OfSession } from '../flow/of-session.js';
import { RowCache } from '../ovsdb/cache.js';
import { Unixctl } from '../unixctl/unixctl.js';
import { awaitEffective, CachedDecisions, methodFor } from './effective.js';

describe('effective', () => {
  let peer: Peer;

  let open: Unixctl;

  afterEach(async () => {
    open.close();
    await peer.close();
  });

  async function control(answer: (command: unknown) => unknown): Promise<Unixctl> {
    peer = await Peer.listen(({ method }) => answer(method));
    open = new Unixctl(() => peer.endpoint, systemClock);
    return open;
  }
  const commands = () => peer.heard.map(({ method }) => method);

  /** Only what is used of it. */
  function kicked(): { session: OfSession; sent: OfMessage[][] } {
    const sent: OfMessage[][] = [];
    const perform = (messages: readonly OfMessage[]) => Promise.resolve(sent.push([...messages]) && []);
    return { session: { perform } as unknown as OfSession, sent };
  }

  it('waits for two passes, and takes every flow back that it kicks with', async () => {
    const unixctl = await control(() => '');
    const { session, sent } = kicked();
    await awaitEffective(session, unixctl, systemClock, 'wait');
    expect(commands()).toEqual(['revalidator/wait', 'revalidator/wait']);
    expect(sent.length).toBeGreaterThanOrEqual(2);
    for (const kick of sent) {
      expect(kick).toMatchObject([{ command: 'add' }, { command: 'delete-strict' }]);
    }
  });

  it('empties the cache where passes can not be waited for', async () => {
    const unixctl = await control((command) =>
      command === 'revalidator/wait' ? { error: 'multiple' } : 'ok',
    );
    await awaitEffective(kicked().session, unixctl, systemClock, 'wait');
    expect(commands()).toEqual(['revalidator/wait', 'revalidator/purge']);
  });

  it.each([
    ['netdev', 12, {}, 'purge'],
    ['netdev', 5_000, {}, 'wait'],
    ['system', 12, {}, 'wait'],
    ['netdev', 12, { Open_vSwitch: { dpdk_initialized: true } }, 'wait'],
    ['netdev', 12, { Interface: { name: 'x', type: 'afxdp' } }, 'wait'],
  ] as const)('on %s with %d cached flows and %j: %s', async (type, flows, rows, method) => {
    const unixctl = await control(
      () => `netdev@ovs-netdev:\n  flows         : (current ${flows}) (avg 7) (max 9)\n`,
    );
    const cache = new RowCache();
    for (const [table, insert] of Object.entries(rows)) {
      cache.apply({ [table]: { '00000000-0000-4000-8000-000000000001': { insert } } });
    }
    const decisions = new CachedDecisions(unixctl, systemClock);
    expect(await methodFor(cache, type, decisions.count)).toBe(method);
    expect(await methodFor(cache, type, decisions.count)).toBe(method);
    expect(commands().length).toBeLessThanOrEqual(1);
  });

  it('keeps one connection for quick commands, and makes another when the switch hung up', async () => {
    const unixctl = await control((command) => (command === 'no' ? { error: 'no' } : 'ok'));
    await Promise.all([unixctl.call('a'), unixctl.call('b')]);
    await expect(unixctl.call('no')).rejects.toMatchObject({ problem: { code: 'refused' } });
    await unixctl.call('c');
    expect(peer.connections).toBe(1);
    peer.hangUp();
    // It may hang up in the middle of a command: that one is lost, the next finds the switch again.
    await unixctl.call('d').catch(() => undefined);
    await unixctl.call('e');
    expect(peer.connections).toBe(2);
  });

  it('tells a refusal from a switch that is not there', async () => {
    const unixctl = await control(() => ({ error: '"x" is not a valid command' }));
    await expect(unixctl.call('x')).rejects.toMatchObject({ problem: { code: 'refused' } });
    const nowhere = new Unixctl(() => ({ kind: 'unix', path: '/nonexistent/ctl' }), systemClock);
    await expect(nowhere.version()).rejects.toMatchObject({ problem: { retry: true } });
  });
});
