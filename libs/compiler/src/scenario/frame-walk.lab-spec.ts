import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab } from '../../../../test/lab/net.js';
import { groupDoc, mac, type HostSpec } from '../documents.fixture.js';
import { TABLE_NAMES, TABLES } from '../pipeline/tables.js';
import { filled, PAGE, page } from './frame-walk.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const SSH = { ipVersion: 4, ipProtocol: 6, dstPort: { from: 22, to: 22 } };
const filter = {
  stateful: false,
  default: 'allow',
  rules: [{ name: 'ssh', direction: 'in', action: 'drop', tier: 1, enabled: true, match: SSH }],
};
/** Two ports in VLAN 100, on one uplink; the first may not open ssh connections, and the second gets a megabit. */
const EXAMPLE: HostSpec = {
  switches: { lan: { uplink1: 'up0' } },
  groups: [groupDoc('web', { vlan: { mode: 'access', id: 100 } as never })],
  ports: [
    { n: 1, override: { filter } as never },
    { n: 2, override: { shapingOut: { average: 1_000_000, peak: 1_000_000, burst: 20_000 } } },
  ],
};

const HTTP = 'tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,tp_dst=80';
/** The device that each comes by, and what it is. */
const FRAMES = {
  unicast: ['tap1', `dl_src=${mac(1)},dl_dst=${mac(2)},${HTTP}`],
  outside: ['tap1', `dl_src=${mac(1)},dl_dst=${mac(9)},${HTTP}`],
  inside: ['up0', `dl_src=${mac(9)},dl_dst=${mac(2)},dl_vlan=100,${HTTP}`],
  dropped: ['tap1', `dl_src=${mac(1)},dl_dst=${mac(2)},${HTTP.replace('tp_dst=80', 'tp_dst=22')}`],
} as const;

describe('the walk of a frame', () => {
  let lab: Lab;
  let host: RealHost;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['h1'] });
    host = await realHost(lab, 'h1');
    await host.become({ ...EXAMPLE, ports: [] });
    for (const n of [1, 2]) {
      const ids = [`external_ids:iface-id=if-${n}`, `external_ids:attached-mac="${mac(n)}"`];
      await vsctl(
        'add-port',
        BRIDGE,
        `tap${n}`,
        '--',
        'set',
        'Interface',
        `tap${n}`,
        'type=internal',
        ...ids,
      );
    }
    await host.become(EXAMPLE);
    const names = Object.entries(TABLES).flatMap(([name, number]) => [
      ...['--', `--id=@t${number}`, 'create', 'Flow_Table', `name=${name}`],
      ...['--', 'set', 'Bridge', BRIDGE, `flow_tables:${number}=@t${number}`],
    ]);
    await vsctl(...names.slice(1));
  });

  afterAll(async () => {
    await host?.driver.close();
    await lab?.destroy();
  });

  const vsctl = (...args: string[]): Promise<string> => lab.vsctl('h1', ...args);
  /** By table, the flows of all it holds, as ovs-ofctl names them. */
  const dumped = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
    const text = await lab.ofctl('h1', '--names', '--no-stats', 'dump-flows', BRIDGE);
    const flows = new Map<string, string[]>();
    for (const line of text.split('\n')) {
      const table = /table="?([A-Z_0-9]+)/.exec(line)?.[1] ?? 'CLASSIFY';
      if (line.includes('actions=')) flows.set(table, [...(flows.get(table) ?? []), line.trim()]);
    }
    return flows;
  };
  const walk = async (device: string, frame: string): Promise<string[]> => {
    const port = `in_port=${device},`;
    const text = await lab.host('h1').appctl('ofproto/trace', BRIDGE, port + frame, '--names');
    const numbers = [...text.matchAll(/^ *(\d+)\. /gm)].map((m) => Number(m[1]));
    return numbers.map((n) => TABLE_NAMES.get(n) ?? `${n}`);
  };

  /** To accept a change on purpose, run with PORTOLAN_WRITE_PAGES=1; the page's diff is what is reviewed. */
  it('is the one on the page', async () => {
    const flows = await dumped();
    const walks = new Map<string, readonly string[]>();
    for (const [name, [device, frame]] of Object.entries(FRAMES)) walks.set(name, await walk(device, frame));
    const now = filled(page(), (kind, name) =>
      kind === 'flows' ? (flows.get(name) ?? []) : [(walks.get(name) ?? []).join(' → ')],
    );
    if (process.env['PORTOLAN_WRITE_PAGES'] !== undefined) writeFileSync(PAGE, now);
    expect(page()).toBe(now);
  });
});
