import { beforeEach, describe, expect, it } from '@jest/globals';
import { AgentHost, view } from '../agent.fixture.js';
import { standbys } from './standbys.js';

const waiting = { n: 1, epoch: 2, role: 'standby', token: '07:00:00:00:00:01' } as const;

describe('whether a guest that comes would find its port', () => {
  let host: AgentHost;
  const told = () => host.of('StandbyReady').map(({ port, epoch, ready }) => `${port}@${epoch} ${ready}`);

  beforeEach(async () => {
    host = new AgentHost();
    host.services = [standbys];
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
