import { expect } from '@jest/globals';
import { messagesOfLines, replay, type CommitEnvelope } from '#event-store';
import { clusterRules, stateCodec } from '#runtime';
import { until, type World } from '../../process/cluster.fixture.js';
import { type Load } from './load.js';

/** What a log says of itself: one chain that replays, and no command in it twice. Gives it back. */
export async function auditLog(world: World): Promise<CommitEnvelope[]> {
  const log = await world.log();
  const whole = replay(
    messagesOfLines(log.map((e) => JSON.stringify(e)).join('\n')),
    clusterRules,
    stateCodec,
  );
  expect(whole).toMatchObject({ ok: true });
  const seen = new Set<string>();
  const twice = log.filter(({ commandid }) => seen.size === seen.add(commandid).size);
  expect(twice.map((e) => e.commandid)).toEqual([]);
  return log;
}

/** Everything that an outside client was told stands in the log, where it was told, and nothing that it gave is left. */
export async function auditLoad(world: World, ...loads: readonly Load[]): Promise<CommitEnvelope[]> {
  const log = await auditLog(world);
  const at = new Map(log.map((e) => [e.commandid, e.revision]));
  for (const load of loads) {
    expect([...load.refused]).toEqual([]);
    const wrong = [...load.acknowledged].filter(([key, { revision }]) => at.get(key) !== revision);
    expect(wrong.map(([key, { revision }]) => ({ key, said: revision, stands: at.get(key) }))).toEqual([]);
  }
  return log;
}

/** The state that is shown is the state that the log makes. */
export async function auditState(world: World): Promise<void> {
  await until('a replay of the log to give the live state', async () => {
    const { revision, digest } = await world.api.status();
    const replayed = await world.api.replay(await world.api.exportLog(revision));
    return replayed.revision === revision && replayed.digest === digest;
  });
}

/** A change of policy reaches every host: its answer says that all have realised it. */
export async function auditPolicy(world: World, mtu: number): Promise<void> {
  const members = '{ uplink1: eth1, uplink2: eth2 }';
  const change = `{ apiVersion: portolan.dev/v1, kind: DistributedSwitch, metadata: { name: prod }, spec: { mtu: ${mtu}, uplinks: [uplink1, uplink2], members: { alpha: ${members}, bravo: ${members}, charlie: ${members} } } }`;
  // Nobody may lead for longer than the API waits; said twice, it changes nothing more.
  const { revision } = await until('the change to be taken', () => world.api.apply(change, 0));
  // Asked again: a wait ends with the term of the leader that was asked.
  await until(`revision ${revision} to be realised by all`, async () => {
    const path = `/v1/revisions/${revision}/realised?timeout=10`;
    const now = await world.api.get<{ realised: boolean; hosts: number; of: number }>(path);
    if (!now.realised || now.of !== 3) throw new Error(JSON.stringify(now));
    return true;
  });
}
