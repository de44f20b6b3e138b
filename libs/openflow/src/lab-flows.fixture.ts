import { type Action, type Flow, type Group, type Match, type Meter, type SetFieldAction } from './model.js';

const cookie = 0x5e70_0001_0200_0003n;
const ip: Match = { eth_type: { value: 0x0800n } };
const ip6: Match = { eth_type: { value: 0x86ddn } };
const arp: Match = { eth_type: { value: 0x0806n } };
const set = (field: SetFieldAction['field'], value: bigint, mask?: bigint): SetFieldAction => ({
  kind: 'set-field',
  field,
  value,
  ...(mask === undefined ? {} : { mask }),
});
const TOKEN = 0x460102030405n;
const deliver: Action = {
  kind: 'clone',
  actions: [
    set('reg10', 0n),
    set('reg11', 1n),
    set('reg15', 1n),
    { kind: 'resubmit', table: 7 },
    { kind: 'resubmit', table: 22 },
    { kind: 'output-trunc', port: 65000, maxLen: 65535 },
  ],
};

/** Every kind of match that compile may use. */
const MATCHES: Match[] = [
  {},
  { in_port: { value: 5n } },
  { metadata: { value: 1n, mask: 0xffn }, reg0: { value: 1n } },
  { reg10: { value: 1n, mask: 1n }, reg11: { value: 7n }, reg14: { value: 0n } },
  { reg3: { value: 0xffffffffn }, reg2: { value: 0xff00n, mask: 0xff00n } },
  { reg15: { value: 0x80000000n, mask: 0x80000000n }, reg12: { value: 100n } },
  { eth_src: { value: 0x020000000001n } },
  { eth_dst: { value: 0x0180c2000000n, mask: 0xfffffffffff0n } },
  { eth_dst: { value: 0x010000000000n, mask: 0x010000000000n } },
  { vlan_vid: { value: 0x1064n } },
  { vlan_vid: { value: 0x1000n, mask: 0x1000n } },
  { vlan_vid: { value: 0n } },
  { vlan_vid: { value: 0x1010n, mask: 0x1ff0n } },
  { vlan_vid: { value: 0x1064n }, vlan_pcp: { value: 5n } },
  { ...ip, ip_dscp: { value: 46n } },
  { ...ip, ipv4_src: { value: 0x0a000000n, mask: 0xff000000n }, ipv4_dst: { value: 0x0a000001n } },
  { ...ip, ip_proto: { value: 6n }, tcp_src: { value: 80n }, tcp_dst: { value: 0x400n, mask: 0xfc00n } },
  { ...ip, ip_proto: { value: 6n }, tcp_flags: { value: 2n, mask: 0x12n } },
  { ...ip, ip_proto: { value: 6n }, tcp_flags: { value: 2n } },
  { ...ip, ip_proto: { value: 17n }, udp_src: { value: 67n }, udp_dst: { value: 68n } },
  { ...ip, ip_proto: { value: 1n }, icmpv4_type: { value: 8n }, icmpv4_code: { value: 0n } },
  { ...ip6, ipv6_src: { value: 0x20010db8n << 96n, mask: 0xffffffffn << 96n }, ipv6_dst: { value: 1n } },
  { ...ip6, ip_proto: { value: 58n }, icmpv6_type: { value: 135n }, icmpv6_code: { value: 0n } },
  { ...ip6, ip_proto: { value: 6n }, tcp_dst: { value: 443n } },
  {
    ...arp,
    arp_op: { value: 1n },
    arp_spa: { value: 0x0a000001n },
    arp_tpa: { value: 0n, mask: 0xff000000n },
  },
  { ...arp, arp_sha: { value: 0x020000000001n } },
  { eth_type: { value: 0x8035n } },
  { ...arp, arp_tha: { value: 0x020000000001n } },
  { ...ip, ip_ecn: { value: 3n } },
  { ...ip, ip_ttl: { value: 64n } },
  { ...ip, ip_frag: { value: 1n } },
  { ...ip, ip_frag: { value: 3n } },
  { ...ip, ip_frag: { value: 0n } },
  { ...ip, ip_frag: { value: 1n, mask: 1n } },
  { ...ip, ip_frag: { value: 0n, mask: 2n } },
  { ...ip6, ipv6_label: { value: 0x12345n } },
  { ...ip, ip_proto: { value: 132n }, sctp_src: { value: 7n }, sctp_dst: { value: 0x100n, mask: 0xff00n } },
  {
    ...ip6,
    ip_proto: { value: 58n },
    icmpv6_type: { value: 135n },
    icmpv6_code: { value: 0n },
    nd_target: { value: (0xfe80n << 112n) | 1n },
    nd_sll: { value: 0x020000000001n },
  },
  {
    ...ip6,
    ip_proto: { value: 58n },
    icmpv6_type: { value: 136n },
    icmpv6_code: { value: 0n },
    nd_target: { value: 0xfe80n << 112n, mask: 0xffffn << 112n },
    nd_tll: { value: 0x020000000001n },
  },
  { tun_id: { value: 5000n } },
  { ...ip, ct_state: { value: 0n } },
  { ...ip, ct_state: { value: 0x21n, mask: 0x29n }, ct_zone: { value: 0x8001n } },
  { ...ip, ct_state: { value: 0x2an, mask: 0x2an }, ct_mark: { value: 0xdeadbeefn } },
  { ...ip, ct_state: { value: 0x30n, mask: 0x30n } },
  { ...ip6, ct_state: { value: 0x22n, mask: 0x22n }, ct_mark: { value: 1n, mask: 0xffn } },
  { ...ip6, ct_label: { value: 5n << 64n, mask: 0xffn << 64n } },
  {
    ...ip,
    ct_state: { value: 0x22n, mask: 0x22n },
    ct_nw_proto: { value: 6n },
    ct_nw_src: { value: 0x0a000000n, mask: 0xff000000n },
    ct_nw_dst: { value: 0x0a000001n },
    ct_tp_src: { value: 1024n },
    ct_tp_dst: { value: 80n },
  },
  {
    ...ip6,
    ct_state: { value: 0x22n, mask: 0x22n },
    ct_ipv6_src: { value: 1n },
    ct_ipv6_dst: { value: 0x20010db8n << 96n, mask: 0xffffffffn << 96n },
  },
];

/** Every kind of action; `match` where the switch asks for prerequisites. */
const ACTIONS: { match?: Match; actions: Action[] }[] = [
  { actions: [] },
  { actions: [{ kind: 'output', port: 1 }] },
  { actions: [{ kind: 'output', port: 'in_port' }] },
  { actions: [{ kind: 'output', port: 'controller' }] },
  { actions: [{ kind: 'output', port: 'controller', maxLen: 128 }] },
  { actions: [{ kind: 'output', port: 'local' }] },
  { actions: [{ kind: 'output', port: 'normal' }] },
  { actions: [{ kind: 'output-trunc', port: 65000, maxLen: 65535 }] },
  { actions: [set('reg0', 0xdeadbeefn), set('reg1', 1n, 1n), set('metadata', 5n)] },
  { actions: [set('eth_dst', TOKEN), set('eth_src', 1n, 0xffffn)] },
  {
    actions: [
      { kind: 'push-vlan' },
      set('vlan_vid', 4196n),
      set('vlan_pcp', 3n),
      { kind: 'output', port: 10 },
    ],
  },
  { match: { vlan_vid: { value: 0x1064n } }, actions: [{ kind: 'pop-vlan' }, { kind: 'goto', table: 20 }] },
  { match: ip, actions: [set('ip_dscp', 46n), set('ipv4_src', 1n)] },
  {
    actions: [
      {
        kind: 'move',
        src: { field: 'eth_src', offset: 0, bits: 32 },
        dst: { field: 'reg3', offset: 0, bits: 32 },
      },
      {
        kind: 'move',
        src: { field: 'in_port', offset: 0, bits: 16 },
        dst: { field: 'reg4', offset: 16, bits: 16 },
      },
    ],
  },
  {
    actions: [
      { kind: 'meter', meter: 101 },
      { kind: 'goto', table: 20 },
    ],
  },
  { actions: [{ kind: 'group', group: 1 }] },
  { actions: [{ kind: 'controller', maxLen: 65535, userdata: new Uint8Array([1, 2, 3]) }] },
  {
    actions: [
      { kind: 'controller', maxLen: 256, userdata: new Uint8Array([9]) },
      { kind: 'resubmit', table: 22 },
    ],
  },
  { actions: [{ kind: 'controller', maxLen: 256, userdata: new Uint8Array() }] },
  {
    actions: [{ kind: 'controller', maxLen: 64, userdata: new Uint8Array([6]), reason: 0, meter: 101 }],
  },
  { match: ip, actions: [set('ip_ecn', 1n), set('ip_ttl', 9n)] },
  { match: { ...ip, ip_proto: { value: 132n } }, actions: [set('sctp_src', 5n)] },
  { match: ip6, actions: [set('ipv6_label', 0x54321n)] },
  { match: arp, actions: [set('arp_tha', 1n)] },
  { actions: [set('tun_id', 7n)] },
  { match: ip, actions: [{ kind: 'ct', zone: 0x8001 }] },
  { match: ip, actions: [{ kind: 'ct', zone: 0, table: 9 }, { kind: 'ct-clear' }] },
  {
    match: ip,
    actions: [
      {
        kind: 'ct',
        zone: { field: 'reg14', offset: 0, bits: 16 },
        commit: true,
        force: true,
        table: 9,
        exec: [
          set('ct_mark', 0x12345n),
          set('ct_label', 1n, 0xffn),
          {
            kind: 'move',
            src: { field: 'reg6', offset: 0, bits: 32 },
            dst: { field: 'ct_mark', offset: 0, bits: 32 },
          },
          {
            kind: 'move',
            src: { field: 'reg6', offset: 0, bits: 32 },
            dst: { field: 'ct_label', offset: 64, bits: 32 },
          },
        ],
      },
      { kind: 'goto', table: 20 },
    ],
  },
  { actions: [{ kind: 'sample', probability: 65535, collectorSet: 1, domain: 2, point: 3 }] },
  {
    actions: [
      {
        kind: 'sample',
        probability: 9,
        collectorSet: 0xffffffff,
        domain: 2,
        point: 3,
        port: 4,
        direction: 'egress',
      },
      { kind: 'output', port: 4 },
    ],
  },
  {
    actions: [
      {
        kind: 'learn',
        table: 110,
        priority: 10,
        cookie: 0x5e71_0000_0f00_0001n,
        idleTimeout: 300,
        hardTimeout: 0,
        finIdleTimeout: 3,
        finHardTimeout: 4,
        limit: 8,
        resultDst: { field: 'reg4', offset: 2, bits: 1 },
        deleteLearned: true,
        specs: [
          {
            kind: 'match-field',
            dst: { field: 'eth_dst', offset: 0, bits: 48 },
            src: { field: 'eth_src', offset: 0, bits: 48 },
          },
          {
            kind: 'load-field',
            dst: { field: 'reg15', offset: 0, bits: 32 },
            src: { field: 'reg14', offset: 0, bits: 32 },
          },
        ],
      },
      { kind: 'goto', table: 20 },
    ],
  },
  {
    actions: [
      {
        kind: 'learn',
        table: 110,
        priority: 11,
        cookie: 1n,
        idleTimeout: 0,
        hardTimeout: 0,
        limit: 1,
        specs: [{ kind: 'match-value', dst: { field: 'reg14', offset: 0, bits: 32 }, value: 3n }],
      },
    ],
  },
  { actions: [deliver, { ...deliver }, { kind: 'resubmit', table: 40 }] },
  {
    match: { reg14: { value: 2n }, eth_src: { value: 0x020000000002n } },
    actions: [
      {
        kind: 'learn',
        table: 7,
        priority: 100,
        cookie: 0x5e71_0000_0000_0007n,
        idleTimeout: 0,
        hardTimeout: 0,
        specs: [
          { kind: 'match-value', dst: { field: 'reg11', offset: 0, bits: 32 }, value: 2n },
          { kind: 'load-value', dst: { field: 'reg10', offset: 0, bits: 32 }, value: 1n },
        ],
      },
      { kind: 'clone', actions: [set('eth_dst', TOKEN), { kind: 'resubmit', table: 40 }] },
      { kind: 'goto', table: 10 },
    ],
  },
  {
    actions: [
      {
        kind: 'learn',
        table: 8,
        priority: 1,
        cookie: 0n,
        idleTimeout: 300,
        hardTimeout: 600,
        specs: [
          {
            kind: 'match-field',
            dst: { field: 'eth_dst', offset: 0, bits: 48 },
            src: { field: 'eth_src', offset: 0, bits: 48 },
          },
          { kind: 'match-value', dst: { field: 'vlan_vid', offset: 0, bits: 12 }, value: 100n },
          { kind: 'load-value', dst: { field: 'reg1', offset: 16, bits: 1 }, value: 1n },
        ],
      },
    ],
  },
];

export const flows: readonly Flow[] = [
  ...MATCHES.map((match, i): Flow => ({ table: 50, priority: 1000 + i, match, actions: [], cookie })),
  ...ACTIONS.map(({ match = {}, actions }, i): Flow => ({
    table: 3,
    priority: 100 + i,
    match,
    actions,
    cookie,
  })),
  { table: 60, priority: 5, match: {}, actions: [], cookie, idleTimeout: 500, hardTimeout: 900 },
];

export const meters: readonly Meter[] = [
  { id: 101, unit: 'pktps', rate: 4294967295, burst: 4294967295 },
  { id: 102, unit: 'kbps', rate: 10000, burst: 1000 },
  { id: 103, unit: 'kbps', rate: 10000 },
  { id: 300000, unit: 'pktps', rate: 4294967295 },
];

export const groups: readonly Group[] = [
  { id: 1, type: 'all', buckets: [{ actions: [{ kind: 'output', port: 1 }] }, { actions: [deliver] }] },
  {
    id: 2,
    type: 'fast-failover',
    buckets: [
      { actions: [{ kind: 'output', port: 1 }], watchPort: 1 },
      { actions: [set('reg1', 2n), { kind: 'output', port: 2 }], watchPort: 2 },
    ],
  },
  {
    id: 3,
    type: 'select',
    buckets: [
      { actions: [{ kind: 'output', port: 1 }], watchPort: 1 },
      { actions: [{ kind: 'output', port: 2 }], weight: 3 },
    ],
  },
  {
    id: 4,
    type: 'select',
    selection: { method: 'hash', fields: ['eth_dst', 'eth_src', 'ipv4_src', 'tcp_src'], param: 5n },
    buckets: [
      { actions: [{ kind: 'output', port: 1 }], watchPort: 1 },
      { actions: [{ kind: 'output', port: 2 }], watchPort: 2 },
    ],
  },
  {
    id: 5,
    type: 'select',
    selection: { method: 'hash', fields: ['eth_src'] },
    buckets: [{ actions: [{ kind: 'output', port: 1 }] }],
  },
  { id: 0x7fff0001, type: 'indirect', buckets: [{ actions: [{ kind: 'output', port: 1 }] }] },
];
