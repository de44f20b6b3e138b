import { beforeEach, describe, expect, it } from '@jest/globals';
import { zoneOfSlot } from '#compiler';
import { type HostDocument } from '#contracts';
import { type Snapshot } from '#protocol';
import { packet } from '../../../../libs/compiler/src/scenario/packets.fixture.js';
import { AgentHost, BRIDGE, mac, settle, view, type BindingSpec } from '../agent.fixture.js';

const rules = [
  {
    ...{ name: 'asks', direction: 'in', action: 'allow', tier: 1, enabled: true },
    match: { ipVersion: 4, ipProtocol: 17, dstPort: { from: 53, to: 53 } },
  },
];
const tracked = (n: number): BindingSpec => ({
  n,
  override: { filter: { stateful: true, default: 'drop', rules } as never },
});

/** The host is no member of the switch any more. */
function withdrawn(revision: number): Snapshot {
  const now = view(revision, []);
  const documents = new Map(now.documents);
  for (const [key, document] of documents) {
    if (document.type === 'host')
      documents.set(key, { ...document, switches: [], groups: [] } satisfies HostDocument);
    else documents.delete(key);
  }
  return { ...now, documents };
}

describe('connections of a port whose bridge goes', () => {
  let host: AgentHost;
  const connections = () => host.switch.conntrack.all().filter(({ zone }) => zone === zoneOfSlot(1));

  beforeEach(async () => {
    host = new AgentHost();
    await host.start();
    await host.become(1, []);
    await host.plug(1);
    await host.plug(2);
    await host.become(2, [tracked(1), { n: 2 }]);
    const address = { src: '10.0.0.1', dst: '10.0.0.2', sport: 9, dport: 53 };
    host.switch.inject('tap1', packet({ from: mac(1), to: mac(2), protocol: 'udp', ...address }));
    await settle();
    expect(connections()).toHaveLength(1);
  });

  it('are gone before another port could have them, where the switch is withdrawn and comes back', async () => {
    host.agent.documents(withdrawn(3));
    await settle();
    expect(host.switch.bridges.has(BRIDGE)).toBe(false);
    await host.become(4, [tracked(3)]);
    expect(connections()).toEqual([]);
    expect(host.agent.compiled?.bindings).toMatchObject([{ port: 'p3', zone: expect.any(Number) }]);
    expect(host.agent.compiled?.bindings[0]?.slot).not.toBe(1);
    // From then on it is free.
    await host.become(5, [tracked(3), tracked(4)]);
    expect(host.agent.compiled?.bindings.find(({ port }) => port === 'p4')?.slot).toBe(1);
  });

  it('are gone where it was deleted while no agent ran, and the port, too', async () => {
    await host.agent.close();
    host.switch.transact([{ op: 'remove-bridge', bridge: BRIDGE }]);
    await host.start(view(3, [tracked(3)]));
    expect(connections()).toEqual([]);
  });

  it('are gone where somebody deleted it, and the guest has no port there any more', async () => {
    host.switch.transact([{ op: 'remove-bridge', bridge: BRIDGE }]);
    host.tell({ kind: 'down', bridge: BRIDGE, reason: 'the bridge is gone' });
    host.tell({ kind: 'ovsdb', columns: new Set(['Bridge.name']) });
    await settle();
    expect(host.switch.bridges.has(BRIDGE)).toBe(true);
    expect(connections()).toEqual([]);
  });
});
