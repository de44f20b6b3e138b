import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exchange, Spine, until, type LabHostName } from './spine.js';
import { type LabVm } from './net.js';

const REST = { binding: 'static', autoExpand: true, autoShrink: false, resetAtDisconnect: false };

/** Ports as their groups make, keep and give them up, with packets as witnesses. Everybody is in one VLAN. */
describe('ports of groups on two switches', () => {
  let spine: Spine;
  let peer: LabVm;

  const apply = (name: string, spec: object) => {
    const policy = { vlan: { mode: 'access', id: 10 } };
    const whole = { switch: 'lan', ports: 1, overridable: ['blocked'], policy, ...REST, ...spec };
    const document = { apiVersion: 'portolan.dev/v1', kind: 'PortGroup', metadata: { name }, spec: whole };
    return spine.api.apply(JSON.stringify(document));
  };
  const idsOf = async (group: string) =>
    (await spine.api.ports(`?group=${group}`)).items.map(({ metadata }) => metadata.name).sort();

  /** A guest whose frames, and those for it, are asked after. */
  const passes = async (vm: LabVm): Promise<readonly [number, number]> => [
    await exchange(vm, peer),
    await exchange(peer, vm),
  ];
  const ALL = [50, 50];
  const NONE = [0, 0];

  const unplug = async (vm: LabVm): Promise<void> => {
    const [plug] = vm.pluggedAt;
    if (plug !== undefined) await vm.unplug(plug);
    await until(`${vm.name} to be off`, async () => {
      const status = (await spine.port(vm.name))?.status;
      return status === undefined || (status.active === null && status.retiring.length === 0);
    });
  };
  const plug = async (vm: LabVm, host: LabHostName): Promise<void> => {
    const { inside } = await vm.plugAt(host);
    await vm.runOn(inside, 0);
    await spine.bound(vm.name, host);
  };
  const disconnect = async (vm: LabVm): Promise<void> => {
    await spine.api.send('POST', `/v1/ports/${await spine.portId(vm.name)}/disconnect?wait=20`, {});
  };

  beforeAll(async () => {
    spine = await Spine.start();
    peer = await spine.guest('south', 'peer', 'web');
  });

  afterAll(async () => {
    await spine?.stop();
  });

  it('an override that the group does not allow is kept, shown and does nothing, until it is allowed again', async () => {
    await apply('flags', {});
    const vm = await spine.guest('north', 'flagged', 'flags');
    await spine.override('flagged', { blocked: true });
    expect(await passes(vm)).toEqual(NONE);
    await apply('flags', { overridable: [] });
    expect(await passes(vm)).toEqual(ALL);
    expect((await spine.describe('flagged')).ignored).toMatchObject([{ field: 'blocked', value: true }]);
    await apply('flags', { overridable: ['blocked'] });
    expect(await passes(vm)).toEqual(NONE);
    expect((await spine.describe('flagged')).ignored).toEqual([]);
  });

  it('an ephemeral port is made with the plug and goes with it, and so do its settings', async () => {
    await apply('brief', { binding: 'ephemeral', ports: 2 });
    expect(await idsOf('brief')).toEqual([]);
    const vm = await spine.guest('north', 'brief', 'brief');
    const first = await idsOf('brief');
    expect(first).toHaveLength(1);
    await spine.override('brief', { blocked: true });
    expect(await passes(vm)).toEqual(NONE);
    await unplug(vm);
    expect(await idsOf('brief')).toEqual([]);
    await plug(vm, 'north');
    expect(await idsOf('brief')).not.toEqual(first);
    expect(await passes(vm)).toEqual(ALL);
  });

  it('a static port keeps its settings while the guest is off, and loses them when it is disconnected', async () => {
    await apply('reset', { autoExpand: false, resetAtDisconnect: true });
    const vm = await spine.guest('north', 'kept', 'reset');
    const port = await idsOf('reset');
    await spine.override('kept', { blocked: true });
    await unplug(vm);
    await plug(vm, 'south');
    expect(await passes(vm)).toEqual(NONE);
    await unplug(vm);
    await disconnect(vm);
    await plug(vm, 'north');
    expect(await passes(vm)).toEqual(ALL);
    expect(await idsOf('reset')).toEqual(port);
  });

  it('a group grows by the guests that are plugged in, and gives up again what they leave', async () => {
    await apply('pool', { autoShrink: true });
    const one = await spine.guest('north', 'one', 'pool');
    expect(await idsOf('pool')).toHaveLength(1);
    const two = await spine.guest('north', 'two', 'pool');
    expect(await idsOf('pool')).toHaveLength(2);
    expect([await passes(one), await passes(two)]).toEqual([ALL, ALL]);
    await unplug(one);
    expect(await idsOf('pool')).toHaveLength(2);
    await disconnect(one);
    expect(await idsOf('pool')).toEqual([await spine.portId('two')]);
    expect(await passes(two)).toEqual(ALL);
    await unplug(two);
    await disconnect(two);
    expect(await idsOf('pool')).toHaveLength(1);
  });

  it('nothing ended unasked', () => {
    expect(spine.deaths).toEqual([]);
  });
});
