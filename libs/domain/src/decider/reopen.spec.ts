import { describe, expect, it } from '@jest/globals';
import { type HostName, type Lineage, type PortId, type Revision } from '#kernel';
import { type DomainEvent } from '../model/events.js';
import { type State } from '../model/state.js';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { checkInvariants } from '../state/invariants.js';
import { applying as apply, group, plug, threeHosts, type World } from '../testing.js';
import { evolve } from './evolve.js';
import { reopen } from './reopen.js';

const lineage = '7b1d' as Lineage;

const move = (world: World, destination: string) =>
  world.do({ type: 'StartMigration', owner: 'vm1', destination: destination as never });

describe('a log that goes on from an older copy of itself', () => {
  it('takes no number again that what was lost may have used: migrations, epochs, ports', () => {
    const world = threeHosts();
    world.facts('h1', plug('if-1'));
    world.commit(reopen(world.state, lineage));
    const { epochsFrom } = world.state;
    expect(epochsFrom).toBeGreaterThan(1_000_000);
    const events = move(world, 'h2');
    expect(events[0]).toMatchObject({ type: 'MigrationStarted', migration: { id: `m${epochsFrom}` } });
    expect(events[1]).toMatchObject({ type: 'StandbyGranted', standby: { epoch: epochsFrom } });
    expect(checkInvariants(world.state)).toEqual([]);
    expect(reopen(world.state, lineage)[0]).toMatchObject({ to: expect.any(Number) });
    world.commit(reopen(world.state, lineage));
    expect(world.state.epochsFrom).toBeGreaterThan(epochsFrom + 1_000_000);
  });

  it('takes no number again that was taken after the same copy was put back before', () => {
    const { state } = threeHosts();
    const raised = ['7b1d', '7b1e', 'd17b'].map((of) => reopen(state, of as Lineage)[0]);
    const to = raised.map((event) => (event?.type === 'NumbersRaised' ? event.to : 0)).sort((a, b) => a - b);
    for (const [i, n] of to.entries()) expect(n - (to[i - 1] ?? 0)).toBeGreaterThanOrEqual(1_000_000);
  });

  it('counts what hosts have yet to carry out from its own first revision on', () => {
    const world = threeHosts();
    world.facts('h1', plug('if-1'));
    const define = (partitionPolicy: string) =>
      world.do(apply({ kind: 'PortGroup', name: 'web', spec: { switch: 'lan', ports: 2, partitionPolicy } }));
    define('isolate');
    expect(world.state.groups.get('web' as never)?.isolatesSince).toBe(world.state.revision);
    const since = world.state.revision;
    define('isolate');
    expect(world.state.groups.get('web' as never)?.isolatesSince).toBe(since);
    const meta = { revision: 1 as Revision, lineage, time: 1 };
    const [raised] = reopen(world.state, lineage);
    const anew = evolve(world.state, raised as DomainEvent, meta);
    expect(anew.groups.get('web' as never)?.isolatesSince).toBe(1);
    expect(checkInvariants(anew)).toEqual([]);
    const back = stateFromJson(JSON.parse(JSON.stringify(stateDigestInput(anew))));
    expect(back.ok && back.value.groups.get('web' as never)?.isolatesSince).toBe(1);
    define('keep');
    expect(world.state.groups.get('web' as never)).not.toHaveProperty('isolatesSince');
  });

  it('lets a host that had ports taken from it open them again once it carries out any of its own', () => {
    const world = threeHosts({ partitionPolicy: 'isolate' });
    world.facts('h1', plug('if-1'));
    world.suspects = ['h1' as HostName];
    world.facts('h2', plug('if-1'));
    world.do({ type: 'TakeOver', host: 'h1' as HostName, reason: 'h1 is silent' });
    const fence = (state: State) => state.hosts.get('h1' as HostName)?.fence;
    expect(fence(world.state)).toBe(world.state.revision);
    const [raised] = reopen(world.state, lineage);
    const anew = evolve(world.state, raised as DomainEvent, { revision: 1 as Revision, lineage, time: 1 });
    expect(fence(anew)).toBe(1);
    const others = [...anew.hosts.values()].filter(({ name }) => name !== 'h1');
    expect(others.every((host) => !('fence' in host))).toBe(true);
    const back = stateFromJson(JSON.parse(JSON.stringify(stateDigestInput(anew))));
    expect(back.ok && fence(back.value)).toBe(1);
  });

  it('counts anew since when a port isolates that came to a group which does', () => {
    const world = threeHosts();
    world.apply(group('db', { partitionPolicy: 'isolate' }));
    world.facts('h1', plug('if-1'));
    world.do({ type: 'MovePort', port: 'p1' as PortId, group: 'db' });
    const meta = { revision: 1 as Revision, lineage, time: 1 };
    const anew = evolve(world.state, reopen(world.state, lineage)[0] as DomainEvent, meta);
    expect(anew.ports.get('p1' as PortId)?.isolatesSince).toBe(1);
    const back = stateFromJson(JSON.parse(JSON.stringify(stateDigestInput(anew))));
    expect(back.ok && back.value.ports.get('p1' as PortId)?.isolatesSince).toBe(1);
  });

  it('leaves bindings as they are, and digests of states that never lost anything', () => {
    const world = threeHosts();
    world.facts('h1', plug('if-1'));
    expect(stateDigestInput(world.state)).not.toHaveProperty('epochsFrom');
    const before = [...world.state.ports.values()];
    world.commit(reopen(world.state, lineage));
    expect([...world.state.ports.values()]).toEqual(before);
    const json = JSON.parse(JSON.stringify(stateDigestInput(world.state))) as unknown;
    const back = stateFromJson(json);
    expect(back.ok && back.value.epochsFrom).toBe(world.state.epochsFrom);
  });
});
