import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TABLES } from '#compiler';
import { documentsOf, LabAgent } from '../../../../test/lab/agent.js';
import { Lab, until, type LabVm } from '../../../../test/lab/net.js';
import { BRIDGE, frame, mac, type BindingSpec } from '../agent.fixture.js';

const macLearning = { limit: 4, atLimit: 'drop', ageSeconds: 4, floodUnknown: false } as const;
const NESTED = ['02:00:00:00:01:01', '02:00:00:00:01:02', '02:00:00:00:01:03'];

/** Rows that the switch learns come and go without its agent: no drift, nothing to repair, no reason to read it all. */
describe('an agent whose switch learns MACs', () => {
  let lab: Lab;
  let agent: LabAgent;
  let guest: LabVm;
  const bindings: readonly BindingSpec[] = [{ n: 1, override: { macLearning } }, { n: 2 }];
  const rows = (count: number) =>
    until(`${count} learned MACs`, async () => {
      const text = await lab.ofctl('a', 'dump-flows', BRIDGE, `table=${TABLES.LEARNED_SRC}`);
      return text.split('priority=').length === count + 1 ? true : undefined;
    });

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    agent = new LabAgent(lab.host('a'));
    await agent.start();
    await agent.become(documentsOf(1, []));
    const options = { bridge: BRIDGE, name: 'vm1', mac: mac(1), ip: '10.0.0.1', ifaceId: 'if-1' };
    guest = await lab.addVm('a', options);
    await agent.become(documentsOf(2, bindings));
  });

  afterAll(async () => {
    await agent?.stop();
    await lab?.destroy();
  });

  it('leaves them alone, whether it reads the switch or hears of them', async () => {
    await until('the port to be open', () =>
      Promise.resolve(agent.agent.compiled?.bindings.some((b) => b.open) === true ? true : undefined),
    );
    let readings = 0;
    const read = agent.driver.read.bind(agent.driver);
    agent.driver.read = () => {
      readings += 1;
      return read();
    };
    agent.steps.length = 0;
    for (const from of NESTED) await guest.sendRaw(frame(from, 'ff:ff:ff:ff:ff:ff'));
    await rows(NESTED.length);
    await agent.become(documentsOf(3, bindings));
    expect(readings).toBe(0);
    agent.agent.audit();
    await until('a reading', () => Promise.resolve(readings > 0 ? true : undefined));
    await agent.become(documentsOf(4, bindings));
    await rows(0);
    await agent.become(documentsOf(5, bindings));
    expect(readings).toBe(1);
    expect(agent.steps).toEqual([]);
    expect(agent.of('Drift')).toEqual([]);
  });
});
