import { describe, expect, it } from '@jest/globals';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { checkInvariants } from '../state/invariants.js';
import { plug, threeHosts, type World } from '../testing.js';
import { reopen } from './reopen.js';

const move = (world: World, destination: string) =>
  world.do({ type: 'StartMigration', owner: 'vm1', destination: destination as never });

describe('a log that goes on from an older copy of itself', () => {
  it('takes no number again that what was lost may have used: migrations, epochs, ports', () => {
    const world = threeHosts();
    world.facts('h1', plug('if-1'));
    world.commit(reopen(world.state));
    const { epochsFrom } = world.state;
    expect(epochsFrom).toBeGreaterThan(1_000_000);
    const events = move(world, 'h2');
    expect(events[0]).toMatchObject({ type: 'MigrationStarted', migration: { id: `m${epochsFrom}` } });
    expect(events[1]).toMatchObject({ type: 'StandbyGranted', standby: { epoch: epochsFrom } });
    expect(checkInvariants(world.state)).toEqual([]);
    expect(reopen(world.state)[0]).toMatchObject({ to: expect.any(Number) });
    world.commit(reopen(world.state));
    expect(world.state.epochsFrom).toBeGreaterThan(epochsFrom + 1_000_000);
  });

  it('leaves bindings as they are, and digests of states that never lost anything', () => {
    const world = threeHosts();
    world.facts('h1', plug('if-1'));
    expect(stateDigestInput(world.state)).not.toHaveProperty('epochsFrom');
    const before = [...world.state.ports.values()];
    world.commit(reopen(world.state));
    expect([...world.state.ports.values()]).toEqual(before);
    const json = JSON.parse(JSON.stringify(stateDigestInput(world.state))) as unknown;
    const back = stateFromJson(json);
    expect(back.ok && back.value.epochsFrom).toBe(world.state.epochsFrom);
  });
});
