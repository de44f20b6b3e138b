import { expect, it } from '@jest/globals';
import { AgentHost, settle } from '../agent.fixture.js';

const waiting = { n: 1, epoch: 2, role: 'standby', token: '07:00:00:00:00:01' } as const;

it('a standby that leaves is told of, however often it came and went before', async () => {
  const host = new AgentHost();
  await host.start();
  const edges = () => host.facts.filter(({ type }) => type.startsWith('Interface')).map((f) => f.type);
  const comes = () => host.plug(1);
  const goes = async () => {
    host.switch.removeInterface('tap1');
    await settle();
  };
  await host.become(1, []);
  for (let i = 0; i < 10; i += 1) {
    await comes();
    await goes();
  }
  const before = edges().length;
  expect(before).toBeLessThan(20);
  await host.become(2, [waiting]);
  await comes();
  expect(edges().slice(before)).toEqual(['InterfacePlugged']);
  await goes();
  host.clock.advance(3_000);
  await settle();
  expect(edges().slice(before)).toEqual(['InterfacePlugged', 'InterfaceUnplugged']);
});
