import { describe, expect, it } from '@jest/globals';
import { encodeNotice, type Compiled, type Desired } from '#compiler';
import { type DriverEvent, type Observation } from '#openflow';
import { ManualClock, settle } from './agent.fixture.js';
import { Guard } from './guard.js';
import { packetIns } from './packet-ins.js';
import { type AgentService, type MakeService, type ServiceHost } from './service.js';
import { Rounds } from './rounds.js';
import { ServiceGroup } from './service-group.js';

const fail = (): never => {
  throw new TypeError('broken');
};

const clock = new ManualClock();

const given = (...services: AgentService[]) => made(services.map((service) => () => service));

function made(makers: readonly MakeService[]) {
  const logged: { readonly doing: string; readonly reason: string }[] = [];
  const log = { warn: (fields: object) => void logged.push(fields as (typeof logged)[number]) };
  return {
    group: new ServiceGroup(makers, { clock, log } as unknown as ServiceHost, new Guard(log)),
    logged,
    log,
  };
}

const frame = (kind: 'probe' | 'neighbour'): Extract<DriverEvent, { kind: 'packet-in' }> => ({
  kind: 'packet-in',
  bridge: 'br',
  table: 0,
  cookie: 0n,
  metadata: {},
  userdata: encodeNotice({ kind, slot: 1, epoch: 0 }),
  frame: new Uint8Array([7]),
});

describe('the services of an agent', () => {
  it('go on, as does the agent, when one of them fails at what it is told', () => {
    const seen: string[] = [];
    const broken = { frames: { probe: fail }, noticed: fail, carriedOut: fail, telemetry: fail };
    const whole: AgentService = {
      frames: { neighbour: () => void seen.push('neighbour') },
      noticed: ({ kind }) => void seen.push(kind),
      carriedOut: () => void seen.push('stands'),
      telemetry: () => ({ vms: [] }),
    };
    const { group, logged, log } = given(broken, whole);
    const give = packetIns([group.takers()], log);
    give(frame('probe'));
    give(frame('neighbour'));
    group.noticed({ kind: 'down', reason: 'gone' });
    group.carriedOut({} as Compiled, {} as Observation, {} as Desired);
    expect(group.telemetry()).toEqual({ vms: [] });
    expect(seen).toEqual(['neighbour', 'down', 'stands']);
    expect(logged.map(({ doing }) => doing)).toEqual([
      'take a frame of kind probe',
      'hear of down',
      'see what stands',
      'add to the telemetry',
    ]);
    expect(logged[0]?.reason).toContain('TypeError: broken');
  });

  it('say an error once, whatever comes, and no more errors than can be remembered', () => {
    let number = 0;
    const numbered = (): never => {
      throw new Error(`broken ${(number += 1)}`);
    };
    const { group, logged, log } = given({ frames: { probe: fail, neighbour: numbered } });
    const give = packetIns([group.takers()], log);
    for (let i = 0; i < 1_000; i += 1) give(frame('probe'));
    expect(logged).toHaveLength(1);
    for (let i = 0; i < 1_000; i += 1) give(frame('neighbour'));
    expect(logged).toHaveLength(100);
  });

  it('go on when what one does at its time fails', async () => {
    const seen: string[] = [];
    const noRound = new TypeError('no round');
    const makers: MakeService[] = [
      (host) => (host.clock.after(10, fail), {}),
      (host) => (host.clock.after(10, () => void seen.push('after')), {}),
      (host) => {
        const rounds = new Rounds(host, 10, () => {
          seen.push('round');
          return Promise.reject(noRound);
        });
        rounds.begin();
        return { close: () => rounds.close() };
      },
    ];
    const { group, logged } = made(makers);
    await settle();
    clock.advance(10);
    await settle();
    await group.close();
    expect(seen).toEqual(['round', 'after', 'round']);
    expect(logged.map(({ doing }) => doing)).toEqual(['do a round', 'act at its time']);
  });

  it('fail the pass that asks for their facts when one can’t say them', async () => {
    const { group } = given({ facts: fail }, { facts: () => ({}) });
    await expect(group.facts({} as Observation, {} as Desired)).rejects.toThrow('broken');
  });
});
