import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type BridgeObservation,
  type BundleMod,
  type DataplaneState,
  type Observation,
} from './dataplane.js';
import { type Step } from './dataplane.js';
import { diff } from './diff.js';
import { inRound } from './cookie.js';
import { flows, groups, meters } from './lab-flows.fixture.js';
import { LabConnection, LabSwitch } from './lab.fixture.js';
import { order } from './order.js';
import { SWITCH_MARK } from './plan.js';
import { type OfMessage } from './wire/messages.js';

const want: DataplaneState = {
  bridges: [{ name: 'br0', switch: 'sw1', mtu: 1500, ports: [], flows, groups, meters }],
};

function modMessage(mod: BundleMod): OfMessage {
  switch (mod.op) {
    case 'add-flow':
      return { kind: 'flow-mod', command: 'add', flow: mod.flow };
    case 'delete-flow':
      return { kind: 'flow-mod', command: 'delete-strict', flow: mod.flow };
    case 'add-group':
      return { kind: 'group-mod', command: 'add', group: mod.group };
    case 'modify-group':
      return { kind: 'group-mod', command: 'modify', group: mod.group };
    case 'delete-group':
      return { kind: 'group-mod', command: 'delete', id: mod.id };
  }
}

describe('plans on a real Open vSwitch', () => {
  let lab: LabSwitch;
  let of: LabConnection;

  beforeAll(async () => {
    lab = await LabSwitch.start();
    await lab.addBridge('br0');
    of = await LabConnection.open(lab.socket('br0'));
  });

  afterAll(async () => {
    of?.close();
    await lab?.stop();
  });

  const read = async (): Promise<Observation> => {
    const config = await of.ask({ kind: 'meter-config-request' }, 'meter-config-reply');
    const desc = await of.ask({ kind: 'group-desc-request' }, 'group-desc-reply');
    const bridge: BridgeObservation = {
      name: 'br0',
      externalIds: { [SWITCH_MARK]: 'sw1' },
      failMode: 'secure',
      mtu: 1500,
      flows: (await of.flows()).flows,
      groups: desc.flatMap((d) => d.groups),
      meters: config.flatMap((c) => c.meters.map((m) => ({ ...m, durationMs: 0 }))),
      ports: [],
    };
    return { bridges: [bridge], interfaces: [] };
  };
  const apply = async (step: Step): Promise<void> => {
    if (step.kind === 'bundle') expect(await of.bundle(step.mods.map(modMessage))).toEqual([]);
    if (step.kind !== 'meters') return;
    for (const mod of step.mods) {
      if (mod.op === 'delete') of.send({ kind: 'meter-mod', command: 'delete', id: mod.id });
      else of.send({ kind: 'meter-mod', command: mod.op, meter: mod.meter });
    }
    expect(await of.settle()).toEqual([]);
  };
  const reach = async (state: DataplaneState): Promise<Step[]> => {
    const steps = order(diff(state, await read()));
    for (const step of steps) await apply(step);
    return steps;
  };

  it('reach the wanted state from nothing, and then have nothing to do in any round', async () => {
    expect((await reach(want)).map((s) => s.kind)).toEqual(['meters', 'bundle']);
    expect(await reach(want)).toEqual([]);
    const later = flows.map((f) => ({ ...f, cookie: inRound(f.cookie, 9) }));
    expect(await reach({ bridges: want.bridges.map((b) => ({ ...b, flows: later })) })).toEqual([]);
  });

  it('repair what a hand did, and leave alone what it added', async () => {
    await lab.ofctl('--strict', 'del-flows', 'br0', 'table=50,priority=1001,in_port=5');
    await lab.ofctl('mod-flows', 'br0', 'table=3,actions=output:9');
    await lab.ofctl('del-meter', 'br0', 'meter=101');
    await lab.ofctl('del-groups', 'br0', 'group_id=1');
    await lab.ofctl('add-flow', 'br0', 'cookie=0x77,table=80,ip,actions=ct(commit),output:3');
    expect((await reach(want)).map((s) => s.kind)).toEqual(['meters', 'bundle', 'effective']);
    expect(await reach(want)).toEqual([]);
    const left = (await read()).bridges[0]?.flows.filter((f) => f.flow.table === 80);
    expect(left).toMatchObject([{ flow: { cookie: 0x77n } }]);
  });

  it('take everything of ours away again', async () => {
    const none = {
      bridges: [{ name: 'br0', switch: 'sw1', mtu: 1500, ports: [], flows: [], groups: [], meters: [] }],
    };
    expect((await reach(none)).map((s) => s.kind)).toEqual(['bundle', 'effective', 'meters']);
    const have = (await read()).bridges[0];
    expect(have).toMatchObject({ groups: [], meters: [], flows: [{ flow: { cookie: 0x77n } }] });
  });
});
