import { expect } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { unwrap } from '#kernel';
import { packetsOf } from '#domain';
import { parseCheckpoint, STREAMS, SUBJECTS } from '#contracts';
import { type HostView } from '#contracts/http';
import { EXAMPLE, until, type World } from '../process/cluster.fixture.js';
import { auditLog, auditPolicy, auditState } from './support/audit.js';
import { sentBy } from './support/ledger.js';
import { type Scenario } from './support/scenario.js';
import { Seen } from './support/seen.js';

const HOST = 'charlie';
const VM = 'db-1';
const member = (host: string): string => `${host}: { uplink1: eth1, uplink2: eth2 }`;
const prod = (hosts: readonly string[], mtu: number): string =>
  `{ apiVersion: portolan.dev/v1, kind: DistributedSwitch, metadata: { name: prod }, spec: { mtu: ${mtu}, uplinks: [uplink1, uplink2], members: { ${hosts.map(member).join(', ')} } } }`;

/** A host is gone with the guest that ran there, and does not come back: an operator is told, and takes it out. */
export const deadHost: Scenario = {
  name: 'a host dead for good: it is named and blocks nobody, is taken out by an operator, and its ledger says what is not known',
  // A host is silent for a minute before it is called so.
  short: false,
  play: async (world) => {
    const seen = new Seen(world, 'dead-host');
    const { children } = world.cluster;
    const port = (await world.api.ports(`?owner=${VM}`)).items[0]!.metadata.name;
    const manager = await world.connect('manager');
    const counted = await until('a checkpoint of its counters', () => lastCheckpoint(manager, port), 90_000);
    const sent = await until('its guest to tell what it sent', () => sentBy(world, VM));
    await children.kill(`host-agent-${HOST}`);

    const waited = await world.api.apply(prod(['alpha', 'bravo', HOST], 1_491), 5);
    expect(waited.realised).toMatchObject({ realised: false, waiting: [{ host: HOST }] });
    await seen.at('just gone', 'status', 'get hosts', `wait ${waited.revision} --timeout 3`);
    await inState(world, 'late');
    await seen.at('late', 'status', 'get hosts', `wait ${waited.revision} --timeout 30`);
    await inState(world, 'silent');
    // Known to be silent, it is no reason to wait.
    const began = performance.now();
    const ran = await world.cli('wait', `${waited.revision}`, '--timeout', '60');
    expect(performance.now() - began).toBeLessThan(30_000);
    expect([ran.code, ran.out]).toEqual([6, expect.stringContaining(`${HOST}: silent since`)]);
    await seen.at(
      'silent',
      'status',
      'get hosts',
      `describe host ${HOST}`,
      `migrate ${VM} --to alpha`,
      `delete host ${HOST}`,
    );

    // What an operator does.
    const dead = await world.cli('host', 'give-up', HOST, '--dead', '--reason', 'board burnt');
    expect([dead.code, dead.err]).toEqual([0, '']);
    const alive = await world.cli('host', 'give-up', 'alpha', '--dead', '--reason', 'a mistake');
    expect([alive.code, alive.err]).toEqual([1, expect.stringContaining('is heard of')]);
    await seen.at(
      `given up: ${dead.out} and of one that lives: ${alive.err}`,
      `describe port ${port}`,
      `events --object port/${port} --limit 6`,
    );
    await world.api.apply(prod(['alpha', 'bravo'], 1_492), 0);
    await seen.at('out of its switch', `describe port ${port}`, `describe host ${HOST}`);
    const gone = await world.cli('delete', 'host', HOST);
    expect([gone.code, gone.err]).toEqual([0, '']);
    await seen.at('deleted', 'status', 'get hosts', `describe port ${port}`, 'stats', 'events --limit 8');
    const stats = await world.api.stats(port);
    expect(stats).toMatchObject({ exact: false });
    // Not less than was told, nor more than was sent: of that the last word was some seconds old.
    expect(stats.in.packets).toBeGreaterThanOrEqual(counted);
    expect(stats.in.packets).toBeLessThanOrEqual(sent + 100);
    const after = await world.api.apply(prod(['alpha', 'bravo'], 1_493), 20);
    expect(after.realised).toMatchObject({ realised: true, of: 2 });
    await auditState(world);

    // It lived all the same, with its guest and all that it remembers.
    await world.cluster.startAgent(HOST);
    await world.api.apply(await readFile(EXAMPLE, 'utf8'), 0);
    await inState(world, 'up');
    await until(`${VM} to be there again`, async () => {
      const { items } = await world.api.ports(`?owner=${VM}`);
      return items.some((p) => p.status.active?.host === HOST);
    });
    await auditPolicy(world, 1_494);
    await auditLog(world);
    await auditState(world);
    expect(world.deaths).toEqual([]);
  },
};

const inState = (world: World, state: HostView['status']['state']): Promise<boolean> =>
  until(
    `${HOST} to be ${state}`,
    async () => (await world.api.hosts()).items.find((h) => h.metadata.name === HOST)?.status.state === state,
    120_000,
  );

/** Packets that its host last put down for the case that it dies. */
async function lastCheckpoint(manager: NatsConnection, port: string): Promise<number | undefined> {
  const streams = (await jetstreamManager(manager)).streams;
  const last = await streams.getMessage(STREAMS.checkpoints, { last_by_subj: SUBJECTS.checkpoint(HOST) });
  const told = last === null ? null : unwrap(parseCheckpoint(last.data));
  const mine = told?.counters.find((c) => c.port === port);
  return mine === undefined ? undefined : packetsOf(mine.raw.in);
}
