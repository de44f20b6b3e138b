import { NO_FEATURES, USUAL_TEAMING } from '#domain';
import {
  type EvacuationDescription,
  type EventList,
  type GroupStats,
  type GroupView,
  type HostView,
  type LedgerAudit,
  type ListOf,
  type MigrationDescription,
  type PortDescription,
  type PortHistory,
  type PortStats,
  type RuleLogList,
  type PortView,
  type SetView,
  type Realised,
  type Status,
  type SwitchView,
  type UplinkCounts,
  type UplinkStats,
  type WriteResult,
} from '#contracts/http';

const LINEAGE = '0b8f1c1e-0000-4000-8000-000000000001';
const at = (seconds: number): string =>
  new Date(Date.parse('2026-03-01T12:00:00Z') - seconds * 1000).toISOString();
const API = 'portolan.dev/v1' as const;

const CORE = {
  chassis: '52:54:00:00:00:01',
  port: 'Ethernet1/3',
  ttl: 120,
  portDescription: 'rack 4',
  systemName: 'core1',
  systemDescription: null,
  capabilities: ['bridge'],
  managementAddress: '192.0.2.1',
  others: 0,
};

export const listOf = <T>(...items: T[]): ListOf<T> => ({
  lineage: LINEAGE,
  revision: 12,
  total: items.length,
  next: null,
  items,
});

const uplinkCounts: UplinkCounts = {
  in: { packets: 9_876_543, bytes: 8_765_432_100 },
  out: { packets: 1_234_000, bytes: 1_002_000_000 },
  dropped: { in: 0, out: 0 },
  errors: { in: 2, out: 0 },
  refused: 0,
  rates: {
    in: { packetsPerSecond: 5000, bitsPerSecond: 35_000_000 },
    out: { packetsPerSecond: 2400, bitsPerSecond: 16_000_000 },
  },
  countedAt: at(1),
};

export const history: PortHistory = {
  port: 'p1',
  stepSeconds: 60,
  points: [
    { time: at(120), host: 'alpha', in: { packets: 10, bytes: 1000 }, out: { packets: 0, bytes: 0 } },
    { time: at(60), host: 'bravo', in: { packets: 70, bytes: 7000 }, out: { packets: 5, bytes: 300 } },
  ],
};

export const uplink: UplinkStats = {
  host: 'alpha',
  switch: 'prod',
  uplink: 'uplink1',
  device: 'eth1',
  up: true,
  counts: uplinkCounts,
};

export const host = (name: string, status: Partial<HostView['status']> = {}): HostView => ({
  apiVersion: API,
  kind: 'Host',
  metadata: { name, version: 2 },
  spec: {
    labels: { rack: 'r1' },
    managementPath: null,
    preload: [],
    maintenance: false,
    migrationLimit: 2,
    foreignFlows: 'report',
  },
  status: {
    state: 'up',
    realised: 12,
    received: 12,
    behind: 0,
    lastSeen: at(0.4),
    tables: '5640c05dc430e903',
    driver: 'openvswitch',
    version: '0.1.0',
    ports: { active: 3, standby: 0, retiring: 0 },
    uplinks: [
      {
        switch: 'prod',
        uplink: 'uplink1',
        device: 'eth1',
        up: true,
        counts: uplinkCounts,
        neighbour: CORE,
        health: {
          ...{ hosts: 2, answered: 3, unheard: 1 },
          faults: [{ kind: 'vlan', vlan: 7, reason: 'frames of VLAN 7 do not get through by uplink1' }],
        },
        beacons: 'heard',
        load: { speed: 1e10, sent: 7.6e9, received: 2e9, moved: [] },
      },
      {
        switch: 'prod',
        uplink: 'uplink2',
        device: 'eth2',
        up: true,
        counts: null,
        neighbour: null,
        health: null,
        beacons: 'alone',
        load: { speed: 1e10, sent: 1e9, received: 3e9, moved: ['p2'] },
      },
    ],
    exceptions: [],
    drift: { count: 0, last: null },
    vms: [],
    ...status,
  },
});

export const deadHost = host('charlie', {
  state: 'silent',
  realised: 7,
  received: 7,
  behind: 5,
  lastSeen: at(180),
  exceptions: [
    { host: 'charlie', port: 'p3', object: 'port/p3', code: 'no-uplink', reason: 'eth2 is missing' },
  ],
});

export const group: GroupView = {
  apiVersion: API,
  kind: 'PortGroup',
  metadata: { name: 'web', version: 9 },
  spec: {
    switch: 'prod',
    policy: {
      vlan: { mode: 'access', id: 10 as never },
      filter: {
        stateful: false,
        default: 'allow',
        rules: [
          {
            tier: 1,
            enabled: true,
            name: 'no-telnet',
            direction: 'out',
            action: 'drop',
            match: { ipProtocol: 6, dstPort: { from: 23, to: 23 } },
          },
        ],
      },
      shapingIn: { average: 500_000_000, peak: 1_000_000_000, burst: 1_250_000 },
    },
    overridable: ['blocked'],
    binding: 'static',
    ports: 8,
    autoExpand: true,
    autoShrink: false,
    resetAtDisconnect: false,
    partitionPolicy: 'keep',
    startOffline: false,
  },
  status: { phase: 'open', ports: 8, connected: 1 },
};

export const sw: SwitchView = {
  apiVersion: API,
  kind: 'DistributedSwitch',
  metadata: { name: 'prod', version: 2 },
  spec: {
    uplinks: ['uplink1', 'uplink2'],
    mtu: 1500,
    policy: {},
    ...NO_FEATURES,
    members: { alpha: { uplink1: 'eth1', uplink2: 'eth2' }, bravo: {} },
  },
  status: {
    ...{ groups: 3, ports: 14, connected: 1 },
    health: [
      {
        host: 'alpha',
        uplink: 'uplink1',
        kind: 'vlan',
        vlan: 7,
        reason: 'frames of VLAN 7 do not get through',
      },
    ],
  },
};

export const addressSet: SetView = {
  apiVersion: API,
  kind: 'AddressSet',
  metadata: { name: 'office', version: 4 },
  spec: { addresses: Array.from({ length: 23 }, (_, i) => `192.0.2.${i}/32`) },
  status: { members: 23, namedBy: ['group web', 'port p7'] },
};

export const portSet: SetView = {
  apiVersion: API,
  kind: 'PortSet',
  metadata: { name: 'tier', version: 5 },
  spec: { groups: ['web'], ports: [], owners: ['vm-a'] },
  status: { members: 1, namedBy: [] },
};

export const port: PortView = {
  apiVersion: API,
  kind: 'Port',
  metadata: { name: 'p1', version: 6 },
  spec: { override: { blocked: true } },
  status: {
    state: 'migrating',
    group: 'web',
    switch: 'prod',
    epoch: 2,
    connectee: { kind: 'vm', ifaceId: 'vm-a-eth0', mac: '02:00:00:00:00:0a', owner: 'vm-a' },
    active: { host: 'alpha', epoch: 1 },
    standby: { host: 'bravo', epoch: 2, migration: 'm1' },
    retiring: [],
  },
};

const none = { packets: 0, bytes: 0 };
const counters = (n: number) => ({
  in: { unicast: { packets: n, bytes: n * 812 }, multicast: none, broadcast: { packets: 4, bytes: 240 } },
  out: { unicast: { packets: n * 2, bytes: n * 1400 }, multicast: none, broadcast: none },
});

export const stats: PortStats = {
  port: 'p1',
  group: 'web',
  switch: 'prod',
  owner: 'vm-a',
  host: 'alpha',
  in: { packets: 1_234_567, bytes: 1_002_468_404 },
  out: { packets: 2_469_134, bytes: 1_728_393_800 },
  counters: counters(1),
  dropped: { in: 17, out: 0 },
  lost: 0,
  exceptions: { in: 0, out: 0 },
  pnic: {
    from: { packets: 2_469_000, bytes: 1_728_000_000 },
    to: { packets: 1_234_000, bytes: 1_002_000_000 },
  },
  ruleHits: { 'no-telnet': 17, web: 1_234_550, unused: 0 },
  rates: {
    in: { packetsPerSecond: 2468, bitsPerSecond: 16_031_728 },
    out: { packetsPerSecond: 4936, bitsPerSecond: 27_641_600 },
  },
  since: null,
  exact: true,
  countedAt: at(0),
};

export const groupStats: GroupStats = {
  group: 'web',
  switch: 'prod',
  ports: 2,
  connected: 1,
  in: stats.in,
  out: stats.out,
  ruleHits: stats.ruleHits,
  rates: stats.rates,
};

const logged = {
  ...{ time: at(3), host: 'alpha', switch: 'prod', port: 'p1', direction: 'in', vlan: 10 },
  ...{ srcMac: '02:00:00:00:00:01', dstMac: '02:00:00:00:00:02' },
};
export const ruleLog: RuleLogList = {
  last: 14,
  more: 0,
  items: [
    {
      ...{ ...logged, id: 12, rule: 'no-telnet', verdict: 'reject', etherType: 0x0800 },
      ip: { src: '10.0.0.1', dst: '10.0.0.2', protocol: 6, srcPort: 40_001, dstPort: 23 },
    },
    {
      ...{ ...logged, id: 13, rule: 'web', verdict: 'allow', etherType: 0x86dd },
      ip: { src: 'fd00::1', dst: 'fd00::2', protocol: 17, srcPort: 40_002, dstPort: 443 },
    },
    { ...logged, id: 14, vlan: 0, rule: 'rest', verdict: 'drop', etherType: 0x0806 },
  ],
};

export const description: PortDescription = {
  lineage: LINEAGE,
  revision: 12,
  port,
  policy: [
    {
      field: 'vlan',
      value: {
        mode: 'trunk',
        ranges: [
          { from: 10, to: 20 },
          { from: 100, to: 100 },
        ],
      },
      origin: 'group',
    },
    { field: 'blocked', value: true, origin: 'port' },
    { field: 'shapingOut', value: null, origin: 'default' },
    { field: 'filter', value: group.spec.policy['filter'], origin: 'group' },
    {
      field: 'teaming',
      value: { ...USUAL_TEAMING, active: ['uplink1'], standby: ['uplink2'] },
      origin: 'switch',
    },
  ],
  ignored: [
    { field: 'promiscuous', value: true, reason: 'group web does not let ports override promiscuous' },
  ],
  stats,
  ledger: {
    total: counters(123_456),
    folded: null,
    segments: [
      {
        host: 'charlie',
        epoch: 0,
        incarnation: 'i0',
        openedAt: at(900),
        closedAt: at(300),
        counted: counters(23_456),
        live: false,
        inexact: { checkpointAt: at(310), reason: 'host lost power' },
      },
      {
        host: 'alpha',
        epoch: 1,
        incarnation: 'i1',
        openedAt: at(300),
        closedAt: null,
        counted: counters(100_000),
        live: true,
        inexact: null,
      },
    ],
    exact: false,
    countedAt: at(1),
  },
  exceptions: [
    { host: 'alpha', port: 'p1', object: 'port/p1', code: 'table-full', reason: 'no room for 3 flows' },
  ],
};

const NONE = { packets: 0, bytes: 0 };
const NO_DIRECTION = { unicast: NONE, multicast: NONE, broadcast: NONE };
const NO_COUNTERS = { in: NO_DIRECTION, out: NO_DIRECTION };

const step = (phase: string, seconds: number, afterMs: number, reason: string | null = null) => ({
  phase,
  at: at(seconds),
  revision: 12,
  afterMs,
  reason,
});

export const migration = (
  phase: string,
  steps: number,
  reason: string | null = null,
): MigrationDescription => ({
  id: 'm1',
  origin: 'operator',
  owner: 'vm-a',
  source: 'alpha',
  destination: 'bravo',
  phase,
  finished: phase === 'completed' || phase === 'aborted',
  episode: steps,
  attempt: 1,
  deadline: null,
  requestedBy: 'ada',
  asked: 'memory upgrade',
  evacuation: 'e1',
  reason: 'memory upgrade',
  ports: [{ port: 'p1', epoch: 2, activated: steps > 3 }],
  history: [
    step('admitted', 4, 0),
    step('prepared', 3.9, 41),
    step('moving', 3.8, 87),
    step('switched', 1.5, 2310),
    step(phase === 'aborted' ? 'aborted' : 'completed', 1.4, 96, reason),
  ].slice(0, steps),
  elapsedMs: 2534,
  pauseMs: 7,
  handover: [
    {
      port: 'p1',
      firstFrameAt: at(1.5),
      turnedAt: at(1.499),
      gapMs: 1,
      granted: 12,
      realised: 14,
      carried: 13,
      source: {
        epoch: 1,
        closedAt: at(1.45),
        counted: {
          ...NO_COUNTERS,
          in: { ...NO_COUNTERS.in, unicast: { packets: 10_895, bytes: 1_089_500 } },
        },
        inexact: null,
      },
      destination: { epoch: 2, openedAt: at(3.9), from: NO_COUNTERS },
    },
  ],
});

export const evacuation: EvacuationDescription = {
  id: 'e1',
  host: 'alpha',
  to: [],
  parallel: null,
  attempts: 3,
  phase: 'incomplete',
  finished: true,
  requestedBy: 'ada',
  reason: 'new board',
  why: null,
  startedAt: at(60),
  endedAt: at(48),
  elapsedMs: 12_000,
  counts: { waiting: 0, moving: 0, moved: 1, refused: 1, gone: 0, stays: 0 },
  remaining: 1,
  guests: [
    {
      owner: 'vm-a',
      state: 'moved',
      tries: [
        { migration: 'm7', destination: 'bravo', phase: 'failed', reason: 'no memory' },
        { migration: 'm8', destination: 'charlie', phase: 'completed', reason: null },
      ],
      refusals: [],
    },
    {
      owner: 'box',
      state: 'refused',
      tries: [],
      refusals: [
        {
          destination: null,
          field: 'ports.p9.connectee.kind',
          reason: 'is a container, which no hypervisor moves',
        },
      ],
    },
  ],
};

export const audit: LedgerAudit = {
  lineage: LINEAGE,
  revision: 12,
  against: 'live',
  commits: 11,
  ports: 3,
  segments: 5,
  agree: true,
  faults: [],
  differences: [],
  more: 0,
  elapsedMs: 41,
};

export const realised: Realised = {
  lineage: LINEAGE,
  revision: 12,
  realised: true,
  hosts: 3,
  of: 3,
  elapsedMs: 41.3,
  waiting: [],
  exceptions: [],
};

export const notRealised: Realised = {
  ...realised,
  realised: false,
  hosts: 1,
  elapsedMs: 5003,
  waiting: [
    { host: 'bravo', realised: 11, reason: 'has not carried it out yet' },
    {
      host: 'charlie',
      realised: 7,
      reason: 'silent since 2026-03-01T11:57:00.000Z; it takes the revision up when it is back',
    },
  ],
};

export const written: WriteResult = {
  lineage: LINEAGE,
  revision: 12,
  dryRun: false,
  repeated: false,
  changed: [
    { kind: 'PortGroup', name: 'web', change: 'changed', fields: ['policy.vlan.id'] },
    { kind: 'PortGroup', name: 'db', change: 'created', fields: [] },
    ...['p9', 'p10', 'p11', 'p12'].map((name) => ({
      kind: 'Port',
      name,
      change: 'created' as const,
      fields: [],
    })),
  ],
  unchanged: 7,
};

export const status: Status = {
  lineage: LINEAGE,
  revision: 12,
  time: at(2),
  digest: 'ab'.repeat(32),
  leader: 'manager-1',
  managers: [{ id: 'manager-1', role: 'leader', revision: 12, lastSeen: at(0) }],
  hosts: { total: 3, realised: 2, behind: [{ host: 'charlie', state: 'silent', realised: 7, received: 7 }] },
  exceptions: 1,
  counts: { switches: 2, groups: 4, ports: 14, connected: 1, migrating: 1 },
  version: '0.1.0',
  api: { follows: true, problem: null },
};

export const events: EventList = {
  lineage: LINEAGE,
  revision: 12,
  from: 11,
  next: null,
  items: ['port p1 blocked', 'migration m1 of vm-a from alpha to bravo\u001b[31m admitted'].map(
    (sentence, i) => ({
      lineage: LINEAGE,
      revision: 11 + i,
      index: 0,
      time: at(10 - i),
      type: 'PortOverridden',
      objects: ['port/p1'],
      sentence,
      data: {},
      actor: 'ada',
      reason: null,
      correlationId: 'c',
      commandId: 'k',
    }),
  ),
};

export const problem = (
  code: string,
  status: number,
  detail: string,
  errors: object[] = [],
  retry = false,
) => ({
  type: `urn:portolan:problem:${code}`,
  title: code,
  status,
  detail,
  code,
  retry,
  errors,
  correlationId: 'trace-1',
});
