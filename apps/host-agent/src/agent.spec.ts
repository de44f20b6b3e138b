import { beforeEach, describe, expect, it } from '@jest/globals';
import { AgentHost, BRIDGE, LINEAGE, mac, settle, view } from './agent.fixture.js';
import { TABLES } from '#compiler';
import { type Revision } from '#kernel';
import { type DriverEvent } from '#openflow';

const TOKEN = '83:5e:c2:e7:00:01';

describe('an agent', () => {
  let host: AgentHost;

  beforeEach(async () => {
    host = new AgentHost();
    await host.start();
    await host.become(1, []);
  });

  const bind = async (...ports: readonly number[]): Promise<void> => {
    for (const n of ports) await host.plug(n);
    await host.become(
      2,
      ports.map((n) => ({ n })),
    );
  };

  it('makes the bridge, and tells what is plugged', async () => {
    expect(host.of('Inventory')).toEqual([{ type: 'Inventory', interfaces: [] }]);
    await host.plug(1);
    expect(host.of('InterfacePlugged')).toMatchObject([
      { interface: { ifaceId: 'if-1', mac: mac(1), profile: 'web', switch: 'lan' } },
    ]);
    host.switch.removeInterface('tap1');
    await settle();
    expect(host.of('InterfaceUnplugged')).toEqual([{ type: 'InterfaceUnplugged', ifaceId: 'if-1' }]);
  });

  it('opens a bound port, with a segment of its ledger, and reports the revision', async () => {
    await bind(1, 2);
    expect(host.of('SegmentOpened').map((f) => [f.port, f.epoch, f.incarnation])).toEqual([
      ['p1', 1, '1'],
      ['p2', 1, '2'],
    ]);
    await host.send(1, mac(2), 3);
    expect(host.received('tap2')).toBe(3);
    expect(host.reports.at(-1)).toMatchObject({ realised: 2, received: 2, exceptions: [] });
  });

  it('lives on when it fails at what the switch tells, says so, and reads what stands', async () => {
    await bind(1);
    host.switch.bridge(BRIDGE).altered = { failMode: 'standalone' };
    const broken = { kind: 'flows', bridge: BRIDGE, changes: [{ change: 'added' }] };
    for (let i = 0; i < 3; i += 1) host.tell(broken as unknown as DriverEvent);
    await settle();
    expect(host.switch.bridge(BRIDGE).altered).toEqual({});
    expect(host.warnings.filter((w) => w.startsWith('a part of the agent failed'))).toHaveLength(1);
  });

  it('closes a retired port with the exact final counters', async () => {
    await bind(1, 2);
    await host.send(1, mac(2), 5);
    await host.become(3, [{ n: 1, role: 'retired' }, { n: 2 }]);
    await host.send(1, mac(2), 5);
    expect(host.received('tap2')).toBe(5);
    const [closed, ...more] = host.of('SegmentClosed');
    expect(more).toEqual([]);
    expect(closed).toMatchObject({ port: 'p1', incarnation: '1', raw: { in: { unicast: { packets: 5 } } } });
    expect(closed).not.toHaveProperty('inexact');
  });

  it('started again with its memory changes nothing on the switch, opens no segment, and goes on counting', async () => {
    await bind(1, 2);
    await host.send(1, mac(2), 2);
    host.steps.length = host.facts.length = 0;
    await host.start(view(2, [{ n: 1 }, { n: 2 }]));
    await host.send(1, mac(2), 2);
    // The earlier run may have died before its last change was effective: that alone is made sure of.
    expect(host.steps).toEqual([{ kind: 'effective', bridge: BRIDGE }]);
    // What the earlier run may have died with is told again, by the same name.
    expect(host.of('SegmentOpened').map((f) => f.incarnation)).toEqual(['1', '2']);
    const { counters } = await host.agent.telemetry();
    expect(counters).toMatchObject([{ incarnation: '1', raw: { in: { unicast: { packets: 4 } } } }, {}]);
    await host.become(3, [{ n: 1, role: 'retired' }, { n: 2 }]);
    expect(host.of('SegmentClosed')).toMatchObject([
      { incarnation: '1', raw: { in: { unicast: { packets: 4 } } } },
    ]);
  });

  it('gives a binding that follows another meters of its own', async () => {
    await bind(1, 2);
    await host.send(1, mac(2), 4);
    await host.become(3, [{ n: 1, epoch: 3 }, { n: 2 }]);
    await host.send(1, mac(2), 1);
    const { counters } = await host.agent.telemetry();
    expect(counters.find((c) => c.port === 'p1')).toMatchObject({
      epoch: 3,
      raw: { in: { unicast: { packets: 1 } } },
    });
  });

  it('tells of the first frame of a standby, keeps that over a restart, and beats the document with it', async () => {
    await host.plug(1);
    await host.plug(2);
    const waiting = [{ n: 1, epoch: 2, role: 'standby', token: TOKEN }, { n: 2 }] as const;
    await host.become(2, waiting);
    await host.send(1, mac(2));
    const activated = { type: 'PortActivated', port: 'p1', epoch: 2 };
    expect(host.of('PortActivated')).toEqual([{ ...activated, at: host.clock.now(), realised: 2 }]);
    expect(host.disk.activations).toEqual(['p1@2']);
    await host.send(1, mac(2), 2);
    expect(host.received('tap2')).toBe(3);
    host.facts.length = 0;
    await host.start(view(2, waiting));
    // When it was, and what stood then, only the run that noticed it knew.
    expect(host.of('PortActivated')).toEqual([activated]);
    await host.send(1, mac(2));
    expect(host.received('tap2')).toBe(4);
  });

  it('of a host that was removed while it was cut off takes out what it carried, and says why; it begins anew when it is defined again', async () => {
    await bind(1, 2);
    const nobody = { ...view(9, []), documents: new Map() };
    host.agent.documents(nobody);
    await settle();
    expect(host.switch.bridges.has(BRIDGE)).toBe(false);
    expect(
      host.warnings.filter((w) => w.includes('not defined in the cluster, or was removed')),
    ).toHaveLength(1);
    // Heartbeats say nothing new.
    host.agent.documents({ ...nobody, received: 10 as Revision });
    await settle();
    expect(host.warnings.filter((w) => w.includes('was removed'))).toHaveLength(1);
    host.facts.length = 0;
    await host.become(11, []);
    expect(host.switch.bridges.has(BRIDGE)).toBe(true);
    // What it told meanwhile was refused: it is told again at once.
    expect(host.of('SegmentOpened')).toHaveLength(2);
    expect(host.reports.at(-1)).toMatchObject({ realised: 11, exceptions: [] });
  });

  it('repairs drift and tells of it once, and never of its own changes', async () => {
    await bind(1, 2);
    await host.become(3, [{ n: 1, override: { blocked: true } }, { n: 2 }]);
    await host.become(4, [{ n: 1 }, { n: 2 }]);
    expect(host.of('Drift')).toEqual([]);
    const { flow } = host.switch
      .bridge(BRIDGE)
      .observe()
      .flows.find((f) => f.flow.table === TABLES.SECURITY && f.flow.priority === 100) ?? { flow: undefined };
    if (flow === undefined) throw new Error('no flow in SECURITY');
    host.switch.deleteFlow(BRIDGE, flow);
    await settle();
    expect(host.of('Drift')).toMatchObject([
      { object: `bridge/${BRIDGE}`, repaired: true, differences: [{ found: 'absent' }] },
    ]);
    expect(host.switch.deleteFlow(BRIDGE, flow)).toBe(true);
    await settle();
    expect(host.of('Drift')).toHaveLength(1);
    host.clock.advance(5_000);
    await settle();
    expect(host.of('Drift')).toHaveLength(2);
    await host.send(1, mac(2));
    expect(host.received('tap2')).toBe(1);
  });

  it('tells of every flow that somebody took away, without the token of a hand-over in any', async () => {
    await host.plug(1);
    await host.plug(2);
    await host.become(2, [
      { n: 1, epoch: 2, role: 'standby', token: TOKEN },
      { n: 2, token: TOKEN },
    ]);
    const { flows } = host.switch.bridge(BRIDGE).observe();
    for (const { flow } of flows) host.switch.deleteFlow(BRIDGE, flow);
    await settle();
    const told = JSON.stringify(host.of('Drift'));
    for (const part of ['flow TRAP', 'flow GATE_IN', 'eth_dst=(token)', 'set_field:(token)->eth_dst'])
      expect(told).toContain(part);
    expect(JSON.stringify(host.facts)).not.toContain(TOKEN);
  });

  it('reports a policy that it can’t carry out against its port, and keeps that port closed', async () => {
    await host.plug(1);
    await host.become(2, [{ n: 1, epoch: 2, role: 'standby' }]);
    expect(host.reports.at(-1)).toMatchObject({
      realised: 2,
      exceptions: [{ port: 'p1', code: 'token-missing' }],
    });
    await host.send(1, 'ff:ff:ff:ff:ff:ff');
    expect(host.received('eth0')).toBe(0);
  });

  it('says that the switch can’t be changed, and claims no more than stood before, until a pass succeeds', async () => {
    await bind(1);
    host.fails = true;
    await host.become(3, [{ n: 1, override: { blocked: true } }]);
    expect(host.reports.at(-1)).toEqual({
      lineage: LINEAGE,
      realised: 2,
      received: 3,
      exceptions: [{ port: null, object: 'switch', code: 'switch-failed', reason: 'the switch is full' }],
    });
    host.fails = false;
    host.agent.audit();
    await settle();
    expect(host.reports.at(-1)).toMatchObject({ realised: 3, exceptions: [] });
  });

  it('has services that hear what the switch tells, see what stands, and say their part of the telemetry', async () => {
    const heard: string[] = [];
    const stood: number[] = [];
    const other = new AgentHost();
    other.services = [
      (around) => ({
        noticed: (event) => void heard.push(event.kind),
        carriedOut: (compiled, have) => void stood.push(compiled.bindings.length, have.bridges.length),
        telemetry: () => ({ vms: [{ owner: around.host, state: 'running' }] }),
      }),
    ];
    await other.start();
    await other.become(1, [{ n: 1 }]);
    await other.plug(1);
    expect(heard).toContain('interfaces');
    expect(stood.slice(-2)).toEqual([1, 1]);
    expect((await other.agent.telemetry()).vms).toEqual([{ owner: 'h1', state: 'running' }]);
  });
});
