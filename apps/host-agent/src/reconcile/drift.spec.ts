import { beforeEach, describe, expect, it } from '@jest/globals';
import { TABLES } from '#compiler';
import { makeCookie, type Flow } from '#openflow';
import { AgentHost, BRIDGE, mac, settle } from '../agent.fixture.js';

describe('what others change', () => {
  let host: AgentHost;
  let reads: number;

  beforeEach(async () => {
    host = new AgentHost();
    await host.start();
    await host.become(1, []);
    for (const n of [1, 2]) await host.plug(n);
    await host.become(2, [{ n: 1 }, { n: 2 }]);
    host.steps.splice(0);
    reads = host.switch.bridge(BRIDGE).readings;
  });

  const flows = (): readonly Flow[] =>
    host.switch
      .bridge(BRIDGE)
      .tables.flows(0)
      .map((f) => f.flow);
  const fields = (): readonly string[] => host.of('Drift').flatMap((f) => f.differences.map((d) => d.field));
  const security = (): Flow =>
    flows().find((f) => f.table === TABLES.SECURITY && f.actions.length > 0) as Flow;
  const whole = (): number => host.switch.bridge(BRIDGE).readings - reads;

  it('is repaired from what the switch tells, without reading it all', async () => {
    const flow = security();
    host.switch.deleteFlow(BRIDGE, flow);
    await settle();
    host.switch.alterFlow(BRIDGE, { ...flow, actions: [] });
    await settle();
    expect(host.steps.flatMap((s) => (s.kind === 'bundle' ? s.mods.map((m) => m.op) : []))).toEqual([
      'add-flow',
      'add-flow',
    ]);
    expect(whole()).toBe(0);
    await host.send(1, mac(2), 3);
    expect(host.received('tap2')).toBe(3);
  });

  it('is removed where it was set by hand or in our name, and left and told once where another program set it', async () => {
    const by = (cookie: bigint): Flow => ({
      table: 250,
      priority: Number(cookie & 0xffn) + 1,
      match: {},
      cookie,
      actions: [],
    });
    for (const cookie of [0n, makeCookie({ feature: 1, object: 9 }), 0x77n])
      host.switch.alterFlow(BRIDGE, by(cookie));
    await settle();
    expect(flows().filter((f) => f.table === 250)).toEqual([by(0x77n)]);
    host.agent.audit();
    await settle();
    expect(fields().filter((f) => f.startsWith('foreign'))).toHaveLength(1);
    expect(host.of('Drift').filter((f) => !f.repaired)).toHaveLength(1);
  });

  it('is repaired in the rows of bridges and ports, our own mark included', async () => {
    host.switch.alterBridge(BRIDGE, {
      markLost: true,
      failMode: 'standalone',
      settings: { controllers: ['tcp:x'] },
    });
    await settle();
    host.switch.alterPort('tap1', { tag: 7 });
    await settle();
    expect(host.switch.bridge(BRIDGE).altered).toEqual({});
    expect(host.switch.row('tap1').settings).toEqual({});
    expect(host.reports.at(-1)).toMatchObject({ exceptions: [] });
    host.clock.advance(5_000);
    await settle();
    expect(fields()).toEqual(
      expect.arrayContaining(['fail_mode', 'controller', 'external_ids:portolan-switch', 'port tap1 tag']),
    );
  });

  it('is told of, too, while the repair of something else is refused at first', async () => {
    host.fails = true;
    host.switch.deleteFlow(BRIDGE, security());
    await settle();
    host.switch.alterBridge(BRIDGE, { failMode: 'standalone' });
    host.fails = false;
    await settle();
    host.clock.advance(5_000);
    await settle();
    expect(fields().filter((f) => !f.startsWith('flow SECURITY'))).toEqual(['fail_mode']);
    expect(host.of('Drift').every((f) => f.repaired)).toBe(true);
  });

  it('is repaired some times a second where somebody goes on and on, and told in one line', async () => {
    const flow = security();
    for (let i = 0; i < 200; i += 1) {
      host.switch.deleteFlow(BRIDGE, flow);
      await settle();
    }
    const repairs = host.steps.filter((s) => s.kind === 'bundle').length;
    expect(repairs).toBeLessThan(50);
    expect(host.of('Drift')).toHaveLength(1);
    host.clock.advance(5_000);
    await settle();
    expect(flows()).toContainEqual(expect.objectContaining({ table: flow.table, priority: flow.priority }));
    expect(host.of('Drift')).toHaveLength(2);
  });
});
