import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LabConnection, LabSwitch } from '../lab.fixture.js';
import { flows, groups, meters } from '../lab-flows.fixture.js';
import { type Flow } from '../model.js';
import { type OfMessage } from './messages.js';

const key = (f: Flow) => `${f.table}/${f.priority}`;
const byKey = (list: readonly Flow[]) => new Map(list.map((f) => [key(f), f]));

describe('the codec against a real Open vSwitch', () => {
  let lab: LabSwitch;
  let of: LabConnection;

  beforeAll(async () => {
    lab = await LabSwitch.start();
    await lab.addBridge('br0');
    of = await LabConnection.open(lab.socket('br0'));
  });

  afterAll(async () => {
    of?.close();
    await lab?.stop();
  });

  const bundle = async (mods: OfMessage[]) => expect(await of.bundle(mods)).toEqual([]);
  const readFlows = async () => (await of.flows()).flows;

  it('tells what it is, and echoes', async () => {
    const [features] = await of.ask({ kind: 'features-request' }, 'features-reply');
    expect(features?.tables).toBe(254);
    const [echo] = await of.ask({ kind: 'echo-request', data: new Uint8Array([1, 2]) }, 'echo-reply');
    expect(echo?.data).toEqual(new Uint8Array([1, 2]));
    const ports = await of.ask({ kind: 'port-desc-request' }, 'port-desc-reply');
    expect(ports[0]?.ports[0]).toMatchObject({ number: 0xfffffffe, name: 'br0' });
  });

  it('takes meters and tells them as sent', async () => {
    for (const meter of meters) of.send({ kind: 'meter-mod', command: 'add', meter });
    expect(await of.settle()).toEqual([]);
    const [config] = await of.ask({ kind: 'meter-config-request' }, 'meter-config-reply');
    expect([...(config?.meters ?? [])].sort((a, b) => a.id - b.id)).toEqual(meters);
    const [stats] = await of.ask({ kind: 'meter-stats-request', id: 101 }, 'meter-stats-reply');
    expect(stats?.stats).toMatchObject([{ id: 101, packetsIn: 0n, dropped: { packets: 0n } }]);
  });

  it('takes groups and flows in one bundle and tells them as sent', async () => {
    await bundle([
      ...groups.map((group): OfMessage => ({ kind: 'group-mod', command: 'add', group })),
      ...flows.map((flow): OfMessage => ({ kind: 'flow-mod', command: 'add', flow })),
    ]);
    const replies = await of.ask({ kind: 'group-desc-request' }, 'group-desc-reply');
    const read = replies.flatMap((r) => r.groups);
    expect([...read].sort((a, b) => a.id - b.id)).toEqual([...groups].sort((a, b) => a.id - b.id));
    const have = byKey((await readFlows()).map((s) => s.flow));
    for (const flow of flows) expect(have.get(key(flow))).toEqual(flow);
    expect(have.size).toBe(flows.length);
  });

  it('deletes strictly what it added, and nothing else', async () => {
    await lab.ofctl('add-flow', 'br0', 'table=50,priority=1001,in_port=6,actions=drop');
    await bundle(
      flows.map(({ table, priority, match }): OfMessage => {
        return { kind: 'flow-mod', command: 'delete-strict', flow: { table, priority, match } };
      }),
    );
    const left = await readFlows();
    expect(left).toMatchObject([{ flow: { match: { in_port: { value: 6n } } } }]);
  });
});
