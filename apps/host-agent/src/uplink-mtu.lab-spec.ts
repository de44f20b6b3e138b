import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, until } from '../../../test/lab/net.js';
import { LabAgent } from './lab-agent.fixture.js';

/** An uplink that refuses a greater MTU than that of the device beneath it. */
describe("a switch's MTU on Open vSwitch", () => {
  let lab: Lab;
  let agent: LabAgent;
  const device = (...args: string[]) => lab.host('a').exec('ip', 'link', ...args);
  const mtu = async (): Promise<number> => Number(/mtu (\d+)/.exec(await device('show', 'mv0'))?.[1]);

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    await device('add', 'link', 'up0', 'name', 'mv0', 'mtu', '1400', 'type', 'macvlan');
    await device('set', 'mv0', 'up');
    agent = await LabAgent.start({ rundir: lab.host('a').rundir, uplinks: ['mv0'] }, []);
  });

  afterAll(async () => {
    await agent?.close();
    await lab?.destroy();
  });

  it('is taken by an uplink that can', async () => {
    await agent.become([], { mtu: 1_500 });
    await until('no exception', () => Promise.resolve(agent.exceptions.length === 0 ? true : undefined));
    expect(await mtu()).toBe(1_500);
  });

  it('is told where an uplink did not take it, with both figures, until it does', async () => {
    await agent.become([], { mtu: 9_000 });
    const told = await until('the exception', () => {
      const found = agent.exceptions.find(({ code }) => code === 'uplink-mtu');
      return Promise.resolve(found?.reason.includes('when asked') === true ? found : undefined);
    });
    expect(told.reason).toMatch(/uplink1: device mv0 has an MTU of 1500, less than the switch's 9000/);
    expect(await mtu()).toBe(1_500);
    await device('set', 'up0', 'mtu', '9000');
    await device('set', 'mv0', 'mtu', '9000');
    await until('no exception', () => Promise.resolve(agent.exceptions.length === 0 ? true : undefined));
  });
});
