import { describe, expect, it } from '@jest/globals';
import { encodeNotice, type Compiled, type Desired } from '#compiler';
import { type DriverEvent, type Observation } from '#openflow';
import { packetIns } from './packet-ins.js';
import { type AgentService, type ServiceHost } from './service.js';
import { ServiceGroup } from './service-group.js';

const fail = (): never => {
  throw new TypeError('broken');
};

function given(...services: AgentService[]) {
  const logged: { readonly doing: string; readonly reason: string }[] = [];
  const log = { warn: (fields: object) => void logged.push(fields as (typeof logged)[number]) };
  const makers = services.map((service) => () => service);
  return { group: new ServiceGroup(makers, {} as ServiceHost, log), logged, log };
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

  it('fail the pass that asks for their facts when one can’t say them', async () => {
    const { group } = given({ facts: fail }, { facts: () => ({}) });
    await expect(group.facts({} as Observation, {} as Desired)).rejects.toThrow('broken');
  });
});
