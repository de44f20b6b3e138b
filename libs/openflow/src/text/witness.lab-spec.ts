import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { flows, groups, meters } from '../lab-flows.fixture.js';
import { LabConnection, LabSwitch } from '../lab.fixture.js';
import { flowKey } from '../identity.js';
import { type Action, type Flow } from '../model.js';
import { type OfMessage } from '../wire/messages.js';
import { formatFlow, formatGroup, formatMeter } from './format.js';

/** An activation pipeline by hand, as ovs-ofctl takes it: meters, learn, clones, tags, registers. */
const BY_HAND = `
table=0,priority=100,in_port=1,actions=meter:101,goto_table:1
table=0,priority=100,in_port=10,dl_vlan=100,actions=pop_vlan,set_field:100->reg12,set_field:0->reg14,goto_table:3
table=1,in_port=1,actions=set_field:1->reg14,set_field:1->reg11,set_field:100->reg12,resubmit(,7),goto_table:6
table=4,priority=100,reg12=100,dl_src=02:00:00:00:00:02,actions=set_field:2->reg11,resubmit(,7),goto_table:5
table=5,priority=100,reg10=0/1,actions=goto_table:20
table=6,priority=100,reg10=1/1,actions=goto_table:10
table=20,priority=200,reg12=100,dl_dst=02:00:00:00:00:02,actions=set_field:2->reg15,resubmit(,7),goto_table:21
table=20,priority=0,reg14=0,actions=drop
table=20,priority=150,reg14=0,dl_dst=ff:ff:ff:ff:ff:ff,actions=clone(set_field:0->reg10,resubmit(,7),output(port=65000,max_len=65535)),clone(set_field:2->reg15,resubmit(,22),output(port=65000,max_len=65535)),resubmit(,40)
table=30,priority=100,reg15=2,actions=meter:102,output:2
table=40,priority=100,actions=push_vlan:0x8100,set_field:4196->vlan_vid,output:10
cookie=0x5e700,table=3,priority=200,reg12=100,dl_dst=46:01:02:03:04:05,dl_src=02:00:00:00:00:02,actions=learn(table=7,priority=100,cookie=0x5e707,NXM_NX_REG11[]=0x2,load:0->NXM_NX_REG10[])
cookie=0x5e700,table=6,priority=50,reg14=2,dl_src=02:00:00:00:00:02,actions=learn(table=7,priority=100,cookie=0x5e707,NXM_NX_REG11[]=0x2,load:1->NXM_NX_REG10[]),clone(set_field:46:01:02:03:04:05->eth_dst,resubmit(,40)),goto_table:10
`;

describe('texts, codec and ovs-ofctl agree', () => {
  let lab: LabSwitch;
  const connections = new Map<string, LabConnection>();
  const of = (bridge: string) => connections.get(bridge) as LabConnection;

  beforeAll(async () => {
    lab = await LabSwitch.start();
    for (const bridge of ['sent', 'typed']) {
      await lab.addBridge(bridge);
      connections.set(bridge, await LabConnection.open(lab.socket(bridge)));
    }
    for (const meter of meters) of('sent').send({ kind: 'meter-mod', command: 'add', meter });
    expect(await of('sent').settle()).toEqual([]);
    for (const meter of meters) await lab.ofctl('add-meter', 'typed', formatMeter(meter));
  });

  afterAll(async () => {
    for (const connection of connections.values()) connection.close();
    await lab?.stop();
  });

  const type = async (texts: string[]) => {
    const file = `${lab.dir}/typed.flows`;
    await writeFile(file, texts.join('\n'));
    await lab.ofctl('add-flows', 'typed', file);
  };
  const dump = async (bridge: string, what: string) =>
    (await lab.ofctl(what, bridge))
      .replaceAll(/ \(xid=[^)]*\)/g, '')
      .split('\n')
      .sort()
      .join('\n');
  const sorted = (list: readonly Flow[]) => [...list].sort((a, b) => (flowKey(a) < flowKey(b) ? -1 : 1));

  it('on meters and groups', async () => {
    expect(await dump('sent', 'dump-meters')).toBe(await dump('typed', 'dump-meters'));
    const mods = groups.map((group): OfMessage => ({ kind: 'group-mod', command: 'add', group }));
    expect(await of('sent').bundle(mods)).toEqual([]);
    for (const group of groups) await lab.ofctl('add-group', 'typed', formatGroup(group));
    expect(await dump('sent', 'dump-groups')).toBe(await dump('typed', 'dump-groups'));
  });

  it('on every flow that is sent', async () => {
    // ovs-ofctl has one word for a packet-in without userdata, and makes it an output.
    const silent = (a: Action) => a.kind === 'controller' && a.userdata.length === 0;
    const told = flows.filter((flow) => !flow.actions.some(silent));
    const mods = told.map((flow): OfMessage => ({ kind: 'flow-mod', command: 'add', flow }));
    expect(await of('sent').bundle(mods)).toEqual([]);
    await type(told.map((flow) => formatFlow(flow, { cookies: true })));
    const { flows: typed } = await of('typed').flows();
    expect(sorted(typed.map((s) => s.flow))).toEqual(sorted(told));
    expect(await lab.ofctl('--no-stats', 'diff-flows', 'sent', 'typed').catch((e: Error) => e.message)).toBe(
      '',
    );
  });

  it('on a pipeline typed by hand: read, sent again, and the same', async () => {
    await lab.ofctl('del-flows', 'typed');
    await lab.ofctl('del-flows', 'sent');
    await type(BY_HAND.trim().split('\n'));
    const { flows: read, unreadable } = await of('typed').flows();
    expect(unreadable).toEqual([]);
    expect(read.map((s) => s.flow.opaque).filter((o) => o !== undefined)).toEqual([]);
    expect(read).toHaveLength(BY_HAND.trim().split('\n').length);
    const mods = read.map(({ flow }): OfMessage => ({ kind: 'flow-mod', command: 'add', flow }));
    expect(await of('sent').bundle(mods)).toEqual([]);
    expect(await lab.ofctl('diff-flows', 'sent', 'typed')).toBe('');
  });

  it('reads on past what the model has no words for', async () => {
    await lab.ofctl('del-flows', 'typed');
    await type([
      'table=1,priority=1,ip,actions=ct(commit,zone=3,nat)',
      'table=2,priority=2,tun_src=10.0.0.1,actions=drop',
      'table=3,priority=3,actions=write_actions(output:1)',
      'table=4,priority=4,actions=output:4',
    ]);
    const { flows: read, unreadable } = await of('typed').flows();
    expect(unreadable).toMatchObject([{ table: 2, priority: 2 }]);
    const opaque = read.filter((s) => s.flow.opaque !== undefined).map((s) => s.flow.table);
    expect(opaque.sort()).toEqual([1, 3]);
  });
});
