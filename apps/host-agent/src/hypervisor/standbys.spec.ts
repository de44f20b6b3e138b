import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Fact } from '#domain';
import { AgentHost, settle, view } from '../agent.fixture.js';
import { standbys } from './standbys.js';

const waiting = { n: 1, epoch: 2, role: 'standby', token: '07:00:00:00:00:01' } as const;

describe('whether a guest that comes would find its port', () => {
  let host: AgentHost;
  let facts: Fact[];
  const told = () =>
    facts.flatMap((f) => (f.type === 'StandbyReady' ? [`${f.port}@${f.epoch} ${f.ready}`] : []));

  beforeEach(async () => {
    host = new AgentHost();
    facts = [];
    host.services = [(around) => standbys({ ...around, record: (fact) => void facts.push(fact) })];
    await host.start();
  });

  it('is told when its interface is there with its policy, and when it goes', async () => {
    await host.become(1, [waiting]);
    expect(told()).toEqual(['p1@2 false']);
    await host.plug(1);
    expect(told()).toEqual(['p1@2 false', 'p1@2 true']);
    await host.become(2, [waiting, { n: 2 }]);
    expect(told()).toHaveLength(2);
    host.switch.removeInterface('tap1');
    await host.become(3, [waiting]);
    expect(told()).toEqual(['p1@2 false', 'p1@2 true', 'p1@2 false']);
  });

  it('is told ever less often of an interface that comes and goes, and as it is once that is over', async () => {
    await host.become(1, [waiting]);
    const flap = async (ms: number): Promise<number> => {
      const before = told().length;
      for (let at = 0; at < ms; at += 1_000) {
        await host.plug(1);
        host.clock.advance(700);
        host.switch.removeInterface('tap1');
        await settle();
        host.clock.advance(300);
        await settle();
      }
      return told().length - before;
    };
    // The first time at once, the second after half a second; none of it lasts for a whole one from then on.
    expect(await flap(20_000)).toBe(4);
    expect(await flap(20_000)).toBe(0);
    expect(told().at(-1)).toBe('p1@2 false');
    await host.plug(1);
    host.clock.advance(29_000);
    expect(told().at(-1)).toBe('p1@2 false');
    host.clock.advance(1_000);
    expect(told().at(-1)).toBe('p1@2 true');
  });

  it('is said to be over at once, however often it was', async () => {
    await host.become(1, [waiting]);
    for (let n = 1; n <= 8; n += 1) {
      await host.plug(1);
      host.clock.advance(30_000);
      expect(told().at(-1)).toBe('p1@2 true');
      host.switch.removeInterface('tap1');
      await settle();
      expect(told().at(-1)).toBe('p1@2 false');
    }
  });

  it('is told no more of one whose agent ended, or that is no standby any more', async () => {
    await host.become(1, [waiting]);
    await host.plug(1);
    host.switch.removeInterface('tap1');
    await settle();
    await host.plug(1);
    const before = told().length;
    await host.become(2, [{ n: 1, epoch: 2 }]);
    host.clock.advance(60_000);
    expect(told()).toHaveLength(before);
    await host.agent.close();
  });

  it('is not so while the switch refuses its policy', async () => {
    await host.become(1, []);
    host.fails = true;
    await host.plug(1);
    await host.become(2, [waiting]);
    expect(told()).toEqual([]);
  });

  it('is told again by the next run of the agent, and nothing of what is no standby any more', async () => {
    await host.become(1, []);
    await host.plug(1);
    await host.become(2, [waiting]);
    await host.agent.close();
    await host.start(view(2, [waiting]));
    expect(told()).toEqual(['p1@2 true', 'p1@2 true']);
    await host.become(3, [{ n: 1, epoch: 2 }]);
    expect(told()).toHaveLength(2);
  });
});
