import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diff, order, type BridgeState } from '#openflow';
import { OvsDriver } from '#ovs';
import { Lab } from '../../../../test/lab/net.js';
import { compile } from '../compile.js';
import { desiredOf, factsOf, groupDoc, type PortSpec } from '../documents.fixture.js';
import { lookupsOf, stagesOf, withLookups } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { MAX_COPY_LOOKUPS } from '../resolve/conflicts.js';
import { BRIDGE } from './real-host.fixture.js';

const VLAN = { vlan: { mode: 'access', id: 100 } };
const filter = [{ name: 'r', direction: 'out', action: 'drop', match: { etherType: 0x1234 } }];
const shapingOut = { average: 8_000_000, peak: 16_000_000, burst: 20_000 };
const GROUPS = [groupDoc('web', VLAN as never), groupDoc('ruled', { ...VLAN, filter, shapingOut } as never)];

const hex = (n: number): string => n.toString(16).padStart(2, '0');
const macOf = (n: number): string => `02:00:00:00:${hex(n >> 8)}:${hex(n & 0xff)}`;
const port = (n: number): PortSpec => ({ n, mac: macOf(n), group: n % 2 === 0 ? 'web' : 'ruled' });

/**
 * A frame that goes through 4,096 tables, copies included, is given up by the switch, for all its receivers. The real
 * switch is asked, since what it counts is its own affair.
 */
describe('a segment with as many ports as one frame can reach', () => {
  let lab: Lab;
  let driver: OvsDriver;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    driver = new OvsDriver({ rundir: lab.host('a').rundir, datapathType: 'netdev' });
    await driver.start();
  });

  afterAll(async () => {
    await driver?.close();
    await lab?.destroy();
  });

  /** The flows alone: a trace asks for no devices. What needs an uplink is left out. */
  async function install({ name, switch: of, mtu, meters, flows }: BridgeState): Promise<void> {
    const bridge = {
      name,
      switch: of,
      mtu,
      meters,
      flows: flows.filter((f) => !f.actions.some((a) => a.kind === 'group')),
      groups: [],
      ports: [],
    };
    for (let turn = 0; turn < 2; turn += 1)
      for (const step of order(diff({ bridges: [bridge] }, await driver.read()), { purge: [] }))
        await driver.apply(step);
  }

  it('carries each broadcast to all of them, and refuses the ports that would be too many', async () => {
    const stages = stagesOf(['FILTER_OUT', 'SHAPE_OUT_PEAK', 'SHAPE_OUT_AVERAGE']);
    // Beside, one tier of rules and PASSED_OUT.
    const each = (lookupsOf(0) + lookupsOf(withLookups(stages, 2))) / 2;
    const fit = Math.floor(MAX_COPY_LOOKUPS / each);
    const desired = desiredOf({
      host: 'a',
      groups: GROUPS,
      ports: Array.from({ length: fit + 4 }, (_, i) => port(i + 1)),
    });
    const { state, exceptions } = compile(desired, factsOf(desired));
    expect(new Set(exceptions.map((e) => e.code))).toEqual(new Set(['segment-full']));
    const receivers = desired.ports.length - exceptions.length - 1;
    expect(receivers).toBeGreaterThan(fit - 3);
    await install(state.bridges[0] as BridgeState);
    const frame = `in_port=1,dl_src=${macOf(1)},dl_dst=ff:ff:ff:ff:ff:ff,dl_type=0x0800`;
    const trace = await lab.host('a').appctl('ofproto/trace', BRIDGE, frame);
    expect(/over 4096|Translation failed/.exec(trace)).toBeNull();
    const outputs = trace.split('\n').filter((line) => line.trimStart().startsWith(`${TABLES.OUTPUT}. `));
    expect(outputs).toHaveLength(receivers);
  });
});
