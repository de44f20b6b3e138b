import { unwrap, type PortId } from '#kernel';
import { NO_FEATURES, type Command, type DomainEvent, type State } from '#domain';
import { type Sequencer } from '#event-store';

export type ClusterSequencer = Sequencer<State, Command, DomainEvent>;

const PORTS = 200;

/** A switch over ten hosts with a group whose ports may be blocked one by one. */
export async function populate(sequencer: ClusterSequencer): Promise<void> {
  const hosts = Array.from({ length: 10 }, (_, i) => `host-${i}`);
  const resources = [
    ...hosts.map((name) => ({
      kind: 'Host',
      name,
      spec: {
        labels: { rack: 'r1' },
        managementPath: null,
        preload: [],
        maintenance: false,
        migrationLimit: 2,
        foreignFlows: 'report',
      },
    })),
    {
      kind: 'DistributedSwitch',
      name: 'prod',
      spec: {
        uplinks: ['uplink1'],
        mtu: 1500,
        policy: {},
        members: Object.fromEntries(hosts.map((h) => [h, { uplink1: 'eth1' }])),
        ...NO_FEATURES,
      },
    },
    {
      kind: 'PortGroup',
      name: 'web',
      spec: {
        switch: 'prod',
        binding: 'static',
        ports: PORTS,
        overridable: ['blocked', 'shapingOut'],
        policy: { vlan: { mode: 'access', id: 100 } },
        autoExpand: true,
        autoShrink: false,
        resetAtDisconnect: false,
        partitionPolicy: 'keep',
        startOffline: false,
      },
    },
  ];
  const command = { type: 'Apply', resources } as unknown as Command;
  unwrap(await sequencer.submit({ commandId: 'populate', actor: 'bench', command }));
}

/** What an operator does to one port; each differs from what the port has by then. */
export function portChange(i: number): Command {
  const blocked = Math.floor(i / PORTS) % 2 === 0;
  return { type: 'SetPort', port: `p${(i % PORTS) + 1}` as PortId, override: { blocked } };
}
