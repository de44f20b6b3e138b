import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseCookie, type Flow } from '#openflow';
import { compile } from './compile.js';
import {
  addressSet,
  desiredOf,
  factsOf,
  groupDoc,
  mac,
  portSet,
  spread,
  switchDoc,
  TOKEN,
  type HostSpec,
} from './documents.fixture.js';
import { FEATURE_CODES, type FeatureName } from './pipeline/cookies.js';
import { FEATURES } from './pipeline/registry.js';
import { privateHost } from './scenario/private-vlan.fixture.js';
import { bridgeText, flowText } from './text.fixture.js';
import { type LocalFacts } from './types.js';

const trunk = groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 100, to: 103 }] } as never });
const web = groupDoc('web', { vlan: { mode: 'access', id: 100 } as never });
const filter = [
  {
    name: 'ssh',
    direction: 'in',
    action: 'drop',
    match: { ipProtocol: 6, dst: '10.0.0.0/8', dstPort: { from: 22, to: 23 } },
  },
];
const policed = { average: 1_000_000, peak: 2_000_000, burst: 20_000 };

const rule = (name: string, direction: string, action: string, more: object) => ({
  ...{ name, direction, action, tier: 1, enabled: true },
  ...more,
});
const ssh = { ipVersion: 4, ipProtocol: 6, dstPort: { from: 22, to: 22 } };
const language = {
  stateful: false,
  default: 'drop',
  rules: [
    rule('quarantine', 'both', 'drop', { tier: 0, match: { srcMac: '02:bb:00:00:00:00/ff:ff:00:00:00:00' } }),
    rule('arp', 'both', 'allow', { match: { etherType: 0x0806 } }),
    rule('opens', 'in', 'allow', { match: { ...ssh, tcpFlags: { set: ['syn'], clear: ['ack'] } } }),
    rule('echo-reply', 'out', 'allow', { match: { ipProtocol: 1, icmpType: 0, icmpCode: 0 } }),
    rule('voice', 'in', 'allow', { match: { vlan: 100, ipVersion: 4, dscp: 46, fragments: 'first' } }),
    rule('signals', 'in', 'allow', { match: { ipVersion: 6, ipProtocol: 132, dstPort: { from: 0, to: 3 } } }),
    rule('asks', 'in', 'pass', { match: { ipVersion: 4, dst: '10.0.0.53/32' } }),
    rule('unused', 'in', 'allow', { enabled: false, match: {} }),
    rule('dns', 'in', 'allow', {
      tier: 3,
      match: { ipVersion: 4, ipProtocol: 17, dstPort: { from: 53, to: 53 } },
    }),
  ],
};

const toTell = {
  stateful: false,
  default: 'allow',
  rules: [
    rule('no-ssh', 'both', 'reject', { match: ssh, log: { perSecond: 1, sample: 1 } }),
    rule('web', 'in', 'allow', {
      match: { ...ssh, dstPort: { from: 80, to: 80 } },
      rate: { unit: 'pps', rate: 100 },
      mark: { dscp: 8 },
      log: { perSecond: 2, sample: 10 },
    }),
  ],
};

const connections = {
  stateful: true,
  default: 'drop',
  rules: [
    rule('opens', 'in', 'allow', { match: { ...ssh } }),
    rule('serves', 'out', 'allow', { match: { ...ssh } }),
    rule('beacon', 'in', 'allow-stateless', {
      match: { ipVersion: 4, ipProtocol: 17, dstPort: { from: 123, to: 123 } },
    }),
  ],
};

const memberships = {
  stateful: true,
  default: 'drop',
  rules: [
    rule('bad', 'out', 'drop', { tier: 0, match: { srcSet: 'bad' } }),
    rule('asks', 'in', 'allow', { match: { ...ssh, dstSet: 'servers' } }),
    rule('peers', 'both', 'allow-stateless', { match: { srcSet: 'peers', dstSet: 'peers' } }),
  ],
};

const marked = {
  stateful: false,
  default: 'drop',
  rules: [
    rule('voice', 'in', 'allow', {
      match: { ipVersion: 4, cos: 5 },
      mark: { dscp: 46, cos: 6 },
      rate: { unit: 'kbps', rate: 1_000 },
    }),
    rule('some', 'both', 'allow', { match: {}, rate: { unit: 'pps', rate: 100, burst: 7 } }),
  ],
};

const mirrored = {
  ...switchDoc('lan', ['uplink1', 'uplink2']),
  mirrors: [
    {
      name: 'look',
      sources: [{ group: 'web', direction: 'both' }],
      to: { port: 'p3' },
      snapLength: 64,
      allowTraffic: false,
    },
    {
      name: 'far',
      sources: [
        { port: 'p2', direction: 'both' },
        { uplink: 'uplink1', direction: 'both' },
      ],
      vlans: [0, 101],
      to: { uplinks: ['uplink2'], vlan: 999 },
      snapLength: null,
      allowTraffic: false,
    },
  ],
} as unknown as ReturnType<typeof switchDoc>;

const EXAMPLES: Record<string, HostSpec> = {
  'two-ports': { groups: [web], ports: [{ n: 1 }, { n: 2 }] },
  'trunk-and-teams': {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
    groups: [web, trunk],
    ports: [{ n: 1 }, { n: 2, group: 'trunk', override: { promiscuous: true } }],
  },
  discovery: {
    groups: [web],
    docs: [{ ...switchDoc('lan', ['uplink1']), discovery: { mode: 'both', intervalSeconds: 30 } }],
    ports: [{ n: 1 }],
  },
  health: {
    groups: [web],
    docs: [{ ...switchDoc('lan', ['uplink1']), healthCheck: { intervalSeconds: 60 } }],
    ports: [{ n: 1 }],
  },
  policy: {
    groups: [web],
    ports: [
      { n: 1, override: { filter, shapingIn: policed, shapingOut: policed } as never },
      { n: 2, override: { blocked: true } },
    ],
  },
  filter: { groups: [web], ports: [{ n: 1, override: { filter: language } as never }, { n: 2 }] },
  stateful: { groups: [web], ports: [{ n: 1, override: { filter: connections } as never }, { n: 2 }] },
  'native-vlan': {
    groups: [
      web,
      groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 100, to: 103 }], native: 7 } as never }),
    ],
    ports: [{ n: 1 }, { n: 2, group: 'trunk' }],
  },
  addresses: {
    ports: [
      {
        n: 1,
        override: {
          addresses: { allow: ['10.0.0.1', '2001:db8::/64'], arp: true, nd: true, dhcp: true },
        } as never,
      },
    ],
  },
  macs: {
    ports: [
      {
        n: 1,
        override: { macs: { extra: ['02:00:00:00:00:32'], shared: ['00:00:5e:00:01:0a'] } } as never,
      },
      { n: 2, override: { macs: { extra: [], shared: ['00:00:5e:00:01:0a'] } } as never },
    ],
  },
  'private-vlan': privateHost('b', { uplink1: 'eth0' }),
  teaming: {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
    groups: [spread('port'), spread('ip-hash')],
    ports: [
      { n: 1, group: 'port' },
      { n: 2, group: 'port' },
      { n: 3, group: 'ip-hash' },
    ],
  },
  lag: {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [
      {
        ...switchDoc('lan', ['uplink1', 'uplink2']),
        lags: [{ name: 'lag1', uplinks: ['uplink1', 'uplink2'], mode: 'active', fast: true, hash: 'l3l4' }],
      },
    ],
    groups: [
      groupDoc('web', {
        vlan: { mode: 'access', id: 100 },
        teaming: { ...spread('port').policy.teaming, active: ['lag1'] },
      } as never),
    ],
    ports: [{ n: 1 }],
  },
  beacons: {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1', uplink3: 'eth2' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2', 'uplink3'])],
    groups: [
      groupDoc('web', {
        vlan: { mode: 'access', id: 100 },
        teaming: {
          ...spread('port').policy.teaming,
          active: ['uplink1', 'uplink2', 'uplink3'],
          detection: 'beacon',
        },
      } as never),
    ],
    ports: [{ n: 1 }],
  },
  mirrors: {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [mirrored],
    groups: [web, trunk],
    ports: [{ n: 1 }, { n: 2, group: 'trunk' }, { n: 3 }],
  },
  sampling: {
    docs: [
      {
        ...switchDoc(),
        ipfix: {
          collector: '10.0.0.9:4739',
          domain: 7,
          activeTimeout: 60,
          sampling: 100,
          internalOnly: false,
        },
      },
    ],
    groups: [groupDoc('web', { vlan: { mode: 'access', id: 100 }, ipfix: true } as never)],
    ports: [{ n: 1 }],
  },
  sets: {
    groups: [web],
    sets: [
      addressSet('bad', ['10.0.0.0/8', '10.9.0.7']),
      addressSet('servers', ['10.9.0.0/16', '2001:db8::/32']),
      portSet('peers', [mac(1), mac(2)]),
    ],
    ports: [{ n: 1, override: { filter: memberships } as never }, { n: 2 }],
  },
  bandwidth: {
    docs: [
      {
        ...switchDoc(),
        bandwidth: { classes: { storage: { shares: 50, limit: 1e8, reservation: 0 } }, reservable: 75 },
      },
    ],
    groups: [
      groupDoc('web', {
        vlan: { mode: 'access', id: 100 },
        bandwidth: { shares: 50, limit: 2_000_000, reservation: 0, class: 'storage' },
      } as never),
    ],
    ports: [{ n: 1 }, { n: 2, override: { shapingIn: policed } as never }],
  },
  learning: {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
    groups: [web],
    ports: [
      {
        n: 1,
        override: {
          macLearning: { limit: 9, atLimit: 'drop', ageSeconds: 300, floodUnknown: false },
        } as never,
      },
      { n: 2 },
    ],
  },
  multicast: {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [{ ...switchDoc('lan', ['uplink1', 'uplink2']), multicast: 'snooping' }],
    groups: [web, trunk],
    ports: [{ n: 1 }, { n: 2, group: 'trunk' }, { n: 3 }],
  },
  marks: { groups: [web], ports: [{ n: 1, override: { filter: marked } as never }, { n: 2 }] },
  told: { groups: [web], ports: [{ n: 1, override: { filter: toTell } as never }, { n: 2 }] },
  'moving-away': { groups: [web], ports: [{ n: 1, token: TOKEN }] },
  isolated: {
    groups: [{ ...web, partitionPolicy: 'isolate' }],
    ports: [{ n: 1 }, { n: 2, token: TOKEN }, { n: 3, role: 'standby', epoch: 2, token: TOKEN }],
  },
  arriving: { groups: [web], ports: [{ n: 1, role: 'standby', epoch: 2, token: TOKEN }] },
};

/** Of hosts where it matters what the host found out. */
const LOCAL: Readonly<Record<string, Partial<LocalFacts>>> = {
  multicast: {
    multicast: {
      'pt-lan': {
        settled: [1, 2, 3],
        routers: [{ segment: 100, slot: 3 }],
        groups: [
          { segment: 100, group: { family: 4, address: 0xef01_0203n }, slots: [1, 2] },
          { segment: 101, group: { family: 6, address: (0xff15n << 112n) | 7n }, slots: [2] },
        ],
        refused: [],
      },
    },
  },
};

/** Where a feature's own flows are best seen: the registered ones by name. */
const FEATURE_IN: Partial<Record<FeatureName, string>> = {
  activity: 'arriving',
  bandwidth: 'bandwidth',
  count: 'two-ports',
  discovery: 'discovery',
  dispatch: 'policy',
  filter: 'marks',
  flood: 'trunk-and-teams',
  forward: 'macs',
  guard: 'policy',
  health: 'health',
  lease: 'isolated',
  mirror: 'mirrors',
  multicast: 'multicast',
  output: 'native-vlan',
  pnic: 'trunk-and-teams',
  refused: 'trunk-and-teams',
  'private-vlan': 'private-vlan',
  sampling: 'sampling',
  security: 'macs',
  segment: 'native-vlan',
  sets: 'sets',
  shaping: 'policy',
  spoofing: 'addresses',
  state: 'stateful',
  teaming: 'teaming',
};

const made = (name: string) => {
  const desired = desiredOf(EXAMPLES[name] as HostSpec);
  return compile(desired, factsOf(desired, LOCAL[name]));
};

const isOf = (feature: FeatureName) => (flow: Flow) =>
  parseCookie(flow.cookie).feature === FEATURE_CODES[feature];

/** To accept a change on purpose, delete the file and run again; the diff is what is reviewed. */
function golden(file: string, text: string): void {
  const path = new URL(`./golden/${file}.golden.txt`, import.meta.url);
  if (!existsSync(path) && process.env['CI'] === undefined) writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

describe('golden flows', () => {
  it.each(Object.keys(EXAMPLES))('%s', (name) => {
    const { state, exceptions } = made(name);
    expect(exceptions).toEqual([]);
    golden(name, state.bridges.map(bridgeText).join('\n'));
  });

  it.each(Object.entries(FEATURE_IN) as [FeatureName, string][])('of %s alone, in %s', (feature, name) => {
    const flows = made(name).state.bridges.flatMap((b) => b.flows.filter(isOf(feature)));
    expect(flows).not.toEqual([]);
    golden(`features/${feature}`, [...flows.map(flowText), ''].join('\n'));
  });

  it('show every feature that is registered', () => {
    const all = Object.keys(EXAMPLES).flatMap((name) => made(name).state.bridges.flatMap((b) => b.flows));
    for (const { name } of FEATURES) expect([name, all.some(isOf(name))]).toEqual([name, true]);
  });
});
