import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TABLES } from '#compiler';
import { documentsOf, LabAgent } from './agent.js';
import { Lab, numbered, until, type LabVm } from './net.js';
import { exchange } from './spine.js';

const BRIDGE = 'pt-lan';
const BINDINGS = [{ n: 1 }, { n: 2 }];

describe('what others change on a switch', () => {
  let lab: Lab;
  let agent: LabAgent;
  let one: LabVm;
  let two: LabVm;
  let before: string;
  /** What is to be told; a few seconds later, as facts of one object are damped. */
  const expected: string[] = [];

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['h1'] });
    agent = new LabAgent(lab.host('h1'));
    await agent.start();
    await agent.become(documentsOf(1, []));
    const guest = (n: number): Promise<LabVm> =>
      lab.addVm('h1', { bridge: BRIDGE, profile: 'web', ...numbered(n) });
    [one, two] = [await guest(1), await guest(2)];
    await agent.become(documentsOf(2, BINDINGS));
    await until('the ports', async () => ((await marked()) === 2 ? true : undefined));
    before = await content();
  });

  afterAll(async () => {
    await agent?.stop();
    await lab?.destroy();
  });

  const ofctl = (...args: string[]): Promise<string> => lab.ofctl('h1', ...args);
  const vsctl = (...args: string[]): Promise<string> => lab.vsctl('h1', ...args);
  const marked = async (): Promise<number> =>
    (await vsctl('--bare', '--columns=external_ids', 'list', 'Port')).split('portolan-port').length - 1;
  /**
   * Flows, groups and meters, without what changes by itself and without the run that wrote them. Ports by their names:
   * a bridge that is made anew may number them anew.
   */
  const content = async (): Promise<string> => {
    const flows = await ofctl('--no-stats', '--names', 'dump-flows', BRIDGE);
    const ours = flows.split('\n').filter((line) => line.includes('actions='));
    const meaning = ours.map((f) => f.trim().replace(/cookie=0x(5e7[01])[0-9a-f]{4}/, 'cookie=0x$1____'));
    const lines = [await ofctl('--names', 'dump-groups', BRIDGE), await ofctl('dump-meters', BRIDGE)]
      .flatMap((text) => text.split('\n').slice(1))
      .map((line) => line.trim());
    return [...meaning, ...lines].sort().join('\n');
  };
  const restored = (): Promise<true> =>
    until('the repair', async () => ((await content()) === before ? true : undefined));
  const told = (field: string): Promise<true> =>
    until(`the fact of ${field}`, () =>
      Promise.resolve(agent.drifted.some((f) => f.startsWith(field)) ? true : undefined),
    );
  const row = (table: string, name: string, column: string): Promise<string> =>
    vsctl('--bare', 'get', table, name, column).then((text) => text.trim());
  const becomes = (table: string, name: string, column: string, value: string): Promise<true> =>
    until(`${column} of ${name} to be ${value}`, async () =>
      (await row(table, name, column)) === value ? true : undefined,
    );

  const refusals = (): string[] => agent.warnings.filter((w) => w.includes('could not be brought'));

  it('repairs flows that were deleted, changed and added by hand, and says which', async () => {
    await ofctl('del-flows', BRIDGE, `table=${TABLES.SECURITY}`);
    await restored();
    await ofctl('mod-flows', BRIDGE, `table=${TABLES.FORWARD},actions=NORMAL`);
    await restored();
    await ofctl('add-flow', BRIDGE, `table=${TABLES.CLASSIFY},priority=65000,actions=NORMAL`);
    await restored();
    expect(await exchange(one, two)).toBe(50);
    expected.push('flow SECURITY');
    expected.push('flow FORWARD');
    expected.push('flow CLASSIFY 65000');
  });

  it('repairs groups and meters without being asked to look', async () => {
    const group = /group_id=([0-9]+)/.exec(await ofctl('dump-groups', BRIDGE))?.[1] ?? '';
    await ofctl('mod-group', BRIDGE, `group_id=${group},type=all`);
    await restored();
    const refused = refusals();
    await ofctl('del-groups', BRIDGE, `group_id=${group}`);
    await restored();
    const meter = /meter=([0-9]+)/.exec(await ofctl('dump-meters', BRIDGE))?.[1] ?? '';
    await ofctl('mod-meter', BRIDGE, `meter=${meter},pktps,stats,bands=type=drop,rate=5`);
    await restored();
    await ofctl('del-meter', BRIDGE, `meter=${meter}`);
    await restored();
    // Both take their flows along: the first repair has to know of all.
    expect(refusals()).toEqual(refused);
    expect(await exchange(one, two)).toBe(50);
    expected.push(`group ${group}`);
    expected.push(`meter ${meter}`);
  });

  it('repairs what was set in the rows of a port, and leaves what its hypervisor set as it plugged it', async () => {
    const port = one.pluggedAt[0]?.outside ?? '';
    await vsctl('set', 'Port', port, 'tag=7');
    await becomes('Port', port, 'tag', '[]');
    await vsctl('set', 'Interface', port, 'ingress_policing_rate=1000', 'ingress_policing_burst=100');
    await becomes('Interface', port, 'ingress_policing_rate', '0');
    await vsctl('set', 'Port', port, 'external_ids:portolan-port=other');
    await becomes('Port', port, 'external_ids:portolan-port', '"p1@1"');
    expected.push(`port ${port} tag`);
    expected.push(`port ${port} ingress_policing_rate`);
    expected.push(`port ${port} external_ids`);

    const device = ['--', 'set', 'Interface', 'own0', 'type=internal'];
    await vsctl('add-port', BRIDGE, 'own0', 'tag=9', ...device);
    await vsctl('set', 'Port', 'own0', 'tag=8');
    await becomes('Port', 'own0', 'tag', '9');
    await vsctl('del-port', 'own0');
  });

  it('repairs what was set in the row of a bridge, controllers and its own mark included', async () => {
    await vsctl('set-controller', BRIDGE, 'tcp:127.0.0.1:1');
    await becomes('Bridge', BRIDGE, 'controller', '[]');
    await vsctl('set', 'Bridge', BRIDGE, 'fail_mode=standalone', 'mcast_snooping_enable=true');
    await becomes('Bridge', BRIDGE, 'fail_mode', 'secure');
    await becomes('Bridge', BRIDGE, 'mcast_snooping_enable', 'false');
    await vsctl('remove', 'Bridge', BRIDGE, 'external_ids', 'portolan-switch');
    await becomes('Bridge', BRIDGE, 'external_ids:portolan-switch', 'lan');
    await vsctl('set', 'Bridge', BRIDGE, 'protocols=OpenFlow13');
    await until('OpenFlow 1.5', async () =>
      (await row('Bridge', BRIDGE, 'protocols')).includes('OpenFlow15') ? true : undefined,
    );
    await restored();
    expect(await exchange(one, two)).toBe(50);
    expected.push('controller');
    expected.push('fail_mode');
    expected.push('mcast_snooping_enable');
    expected.push('external_ids:portolan-switch');
    expected.push('protocols');
  });

  it('repairs what was set in the rows of its uplink, and of the port of the bridge itself', async () => {
    const set = async (table: string, name: string, column: string, value: string): Promise<void> => {
      const before = await row(table, name, column);
      await vsctl('set', table, name, `${column}=${value}`);
      await becomes(table, name, column, before);
    };
    await set('Interface', 'up0', 'mtu_request', '1400');
    await set('Interface', 'up0', 'type', 'nosuch');
    await set('Interface', 'up0', 'options', 'x=y');
    await set('Interface', 'up0', 'other_config', 'lacp-port-id=9');
    await set('Interface', 'up0', 'external_ids:portolan-plugged', 'somebody');
    await set('Port', 'up0', 'other_config', 'lacp-fallback-ab=true');
    await set('Port', 'up0', 'vlan_mode', 'trunk');
    await set('Port', BRIDGE, 'tag', '5');
    expect(await exchange(one, two)).toBe(50);
    expected.push('interface up0 mtu_request');
    expected.push('port up0 interface type');
    expected.push('port up0 interface options:x');
    expected.push('port up0 interface other_config:lacp-port-id');
    expected.push('port up0 interface external_ids:portolan-plugged');
    expected.push('port up0 other_config:lacp-fallback-ab');
    expected.push('port up0 vlan_mode');
    expected.push(`port ${BRIDGE} tag`);
  });

  it('repairs a bridge that was put into a datapath which the host has not', async () => {
    await vsctl('--no-wait', 'set', 'Bridge', BRIDGE, 'datapath_type=system');
    await becomes('Bridge', BRIDGE, 'datapath_type', 'netdev');
    await restored();
    expect(await exchange(one, two)).toBe(50);
    expected.push('datapath_type');
  });

  it('follows its uplink to another OpenFlow port', async () => {
    await vsctl('set', 'Interface', 'up0', 'ofport_request=77');
    expect(await row('Interface', 'up0', 'ofport')).toBe('77');
    await restored();
    expect(await ofctl('dump-groups', BRIDGE)).toContain('watch_port:77');
    expect(await exchange(one, two)).toBe(50);
  });

  it('repairs how fragments are matched, which nobody tells, at the next look', async () => {
    await until('the agent to be connected again', async () => (await agent.agent.glance(), true));
    await ofctl('set-frags', BRIDGE, 'normal');
    await agent.agent.glance();
    await until('ports of first fragments', async () =>
      (await ofctl('get-frags', BRIDGE)).includes('nx-match') ? true : undefined,
    );
    expected.push('fragments');
  });

  it('tells what differed, by field, with how long it stood', async () => {
    for (const field of expected) await told(field);
    const repaired = agent.of('Drift').filter((f) => f.repaired);
    expect(repaired.every((f) => f.object === `bridge/${BRIDGE}` && f.durationMs >= 0)).toBe(true);
  });

  it('repairs all of a storm, and sums it up', async () => {
    const before = agent.of('Drift').length;
    const file = join(lab.host('h1').rundir, 'storm');
    const flows = Array.from(
      { length: 300 },
      (_, i) => `table=${TABLES.FORWARD},priority=${i + 1},actions=NORMAL`,
    );
    await writeFile(file, flows.join('\n'));
    for (let i = 0; i < 3; i += 1) await ofctl('add-flows', BRIDGE, file);
    await restored();
    const facts = () => agent.of('Drift').slice(before);
    await until('the sum', () =>
      Promise.resolve(
        facts().some((f) => f.differences.some((d) => d.field === 'further differences')) ? true : undefined,
      ),
    );
    expect(facts().length).toBeLessThan(4);
  });

  it('tells of the flows of another program once and leaves them, and leaves other bridges alone', async () => {
    await vsctl(
      'add-br',
      'other',
      '--',
      'set',
      'Bridge',
      'other',
      'datapath_type=netdev',
      'fail_mode=secure',
    );
    await ofctl('add-flow', 'other', 'priority=7,actions=drop');
    await ofctl('add-flow', BRIDGE, 'cookie=0x77,table=250,priority=1,actions=drop');
    await told('foreign flow 250');
    agent.agent.audit();
    await agent.become(documentsOf(3, BINDINGS));
    expect(await ofctl('dump-flows', BRIDGE, 'cookie=0x77/-1')).toContain('table=250');
    expect(await ofctl('dump-flows', 'other')).toContain('priority=7');
    expect(agent.drifted.filter((f) => f.startsWith('foreign'))).toHaveLength(1);
    await agent.become(documentsOf(4, BINDINGS, { foreignFlows: 'remove' }));
    await restored();
    await vsctl('del-br', 'other');
  });

  it('finds its bridge again that lost the mark while no agent ran, and disturbs nothing as it starts', async () => {
    await agent.stop();
    await vsctl('remove', 'Bridge', BRIDGE, 'external_ids', 'portolan-switch');
    agent.steps.splice(0);
    await agent.start(documentsOf(4, BINDINGS));
    await becomes('Bridge', BRIDGE, 'external_ids:portolan-switch', 'lan');
    await until('the report', () => Promise.resolve(agent.report?.realised === 4 ? true : undefined));
    expect(agent.steps.map(({ step }) => step.kind).filter((k) => k !== 'effective')).toEqual(['ovsdb']);
    expect(await content()).toBe(before);
  });

  it('has all back when the switch or its database was killed and started', async () => {
    const host = lab.host('h1');
    await host.killVswitchd();
    await host.startVswitchd();
    await restored();
    expect(await exchange(one, two)).toBe(50);
    const down = (): number => agent.of('UplinkState').filter(({ up }) => !up).length;
    const wasDown = down();
    await host.restartOvsdb();
    await vsctl('set', 'Bridge', BRIDGE, 'fail_mode=standalone');
    await becomes('Bridge', BRIDGE, 'fail_mode', 'secure');
    // What the database had forgotten of its uplink was not held against it.
    expect(down()).toBe(wasDown);
    await agent.become(documentsOf(5, [{ n: 1, override: { blocked: true } }, ...BINDINGS.slice(1)]));
    expect(await exchange(one, two, { count: 20 })).toBe(0);
  });
});
