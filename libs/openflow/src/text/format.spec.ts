import { describe, expect, it } from '@jest/globals';
import { type Flow } from '../model.js';
import { formatFlow, formatFlows, formatGroup, formatMeter } from './format.js';

const flow = (over: Partial<Flow>): Flow => ({
  table: 0,
  priority: 100,
  match: {},
  actions: [],
  cookie: 0x5en,
  ...over,
});

describe('texts', () => {
  it('say flows as ovs-ofctl does', () => {
    const lines = [
      flow({
        match: { reg12: { value: 100n }, in_port: { value: 1n }, eth_src: { value: 0x020000000002n } },
        actions: [
          { kind: 'meter', meter: 101 },
          { kind: 'goto', table: 1 },
        ],
      }),
      flow({
        table: 20,
        match: { eth_type: { value: 0x0800n }, ipv4_src: { value: 0x0a000000n, mask: 0xff000000n } },
      }),
      flow({ table: 20, priority: 7, match: { ipv6_dst: { value: 0x20010db8n << 96n } }, idleTimeout: 5 }),
      flow({
        table: 20,
        priority: 150,
        actions: [
          {
            kind: 'clone',
            actions: [
              { kind: 'set-field', field: 'reg10', value: 1n, mask: 1n },
              { kind: 'resubmit', table: 7 },
              { kind: 'output-trunc', port: 65000, maxLen: 65535 },
            ],
          },
          { kind: 'push-vlan' },
          { kind: 'output', port: 'in_port' },
        ],
      }),
    ];
    expect(formatFlows(lines, { tables: new Map([[7, 'activity']]) })).toBe(
      [
        'table=0, priority=100, in_port=1,eth_src=02:00:00:00:00:02,reg12=0x64 actions=meter:101,goto_table:1',
        'table=20, priority=150 actions=clone(set_field:0x1/0x1->reg10,resubmit(,activity),output(port=65000,max_len=65535)),push_vlan:0x8100,IN_PORT',
        'table=20, priority=100, eth_type=0x800,ip_src=10.0.0.0/255.0.0.0 actions=drop',
        'table=20, priority=7, idle_timeout=5, ipv6_dst=2001:db8:: actions=drop',
        '',
      ].join('\n'),
    );
  });

  it('say connections, samples and what is learned within limits', () => {
    const move = {
      kind: 'move',
      src: { field: 'reg6', offset: 0, bits: 32 },
      dst: { field: 'ct_mark', offset: 0, bits: 32 },
    } as const;
    const one = flow({
      match: {
        eth_type: { value: 0x0800n },
        ip_frag: { value: 3n },
        ct_state: { value: 0x22n, mask: 0x2an },
      },
      actions: [
        { kind: 'ct', zone: { field: 'reg13', offset: 0, bits: 16 }, commit: true, table: 5, exec: [move] },
        { kind: 'ct-clear' },
        { kind: 'sample', probability: 9, collectorSet: 1, domain: 2, point: 3 },
        { kind: 'controller', maxLen: 64, userdata: new Uint8Array([1]), reason: 0, meter: 7 },
        {
          kind: 'learn',
          table: 5,
          priority: 1,
          cookie: 0n,
          idleTimeout: 300,
          hardTimeout: 0,
          limit: 4,
          resultDst: { field: 'reg4', offset: 2, bits: 1 },
          specs: [{ kind: 'load-field', dst: move.src, src: { field: 'reg14', offset: 0, bits: 32 } }],
        },
      ],
    });
    const tables = new Map([[5, 'LEARNED']]);
    const fields = new Map([
      ['reg6', 'ruleTag'],
      ['reg13', 'zone'],
    ]);
    expect(formatFlow(one, { tables, fields })).toBe(
      'table=0, priority=100, eth_type=0x800,nw_frag=later,ct_state=0x22/0x2a ' +
        'actions=ct(commit,table=LEARNED,zone=zone[0..15],exec(move:ruleTag[]->ct_mark[])),ct_clear,' +
        'sample(probability=9,collector_set_id=1,obs_domain_id=2,obs_point_id=3),' +
        'controller(max_len=64,reason=no_match,userdata=01,meter_id=7),' +
        'learn(table=LEARNED,priority=1,idle_timeout=300,limit=4,result_dst=reg4[2],load:reg14[]->ruleTag[])',
    );
  });

  it('name tables and cookies when asked', () => {
    const jump = flow({ table: 6, actions: [{ kind: 'goto', table: 10 }] });
    const tables = new Map([
      [6, 'standby'],
      [10, 'security'],
    ]);
    expect(formatFlow(jump, { tables, cookies: true })).toBe(
      'cookie=0x5e, table=standby, priority=100 actions=goto_table:security',
    );
  });

  it('say what could not be read as such', () => {
    expect(formatFlow(flow({ opaque: 'instruction 3' }))).toBe(
      'table=0, priority=100 actions=<instruction 3>',
    );
  });

  it('say groups and meters', () => {
    const buckets = [{ actions: [{ kind: 'output' as const, port: 2 }], watchPort: 2 }, { actions: [] }];
    expect(formatGroup({ id: 4, type: 'fast-failover', buckets })).toBe(
      'group_id=4,type=ff,bucket=watch_port:2,actions=output:2,bucket=actions=drop',
    );
    expect(formatMeter({ id: 1, unit: 'kbps', rate: 1000, burst: 50 })).toBe(
      'meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=50',
    );
  });
});
