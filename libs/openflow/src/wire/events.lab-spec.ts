import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LabConnection, LabSwitch } from '../lab.fixture.js';
import { type Flow } from '../model.js';
import { errorText } from './errors.js';
import { type FlowUpdate, type OfMessage } from './messages.js';

const flow = (over: Partial<Flow> = {}): Flow => ({
  table: 1,
  priority: 10,
  match: { in_port: { value: 1n } },
  actions: [{ kind: 'output', port: 2 }],
  cookie: 0x5e70_0000_0000_0001n,
  ...over,
});
const add = (f: Flow): OfMessage => ({ kind: 'flow-mod', command: 'add', flow: f });

describe('what a real Open vSwitch tells by itself', () => {
  let lab: LabSwitch;
  let of: LabConnection;

  beforeAll(async () => {
    lab = await LabSwitch.start();
    await lab.addBridge('br0');
    of = await LabConnection.open(lab.socket('br0'));
    of.send({ kind: 'set-config', missSendLen: 65535, matchFragments: true });
    of.send({ kind: 'set-packet-in-format', format: 'nxt-packet-in2' });
    of.send({ kind: 'set-async', packetIn: 0x3f, portStatus: 7, flowRemoved: 0x3f, requestForward: 0 });
    expect(await of.settle()).toEqual([]);
  });

  afterAll(async () => {
    of?.close();
    await lab?.stop();
  });

  const monitored = async (): Promise<readonly FlowUpdate[]> => {
    const reply = await of.next((m) => m.kind === 'flow-monitor-reply');
    return reply.kind === 'flow-monitor-reply' ? reply.updates : [];
  };

  it('changes of others in full, own ones as one word', async () => {
    expect(await of.bundle([add(flow())])).toEqual([]);
    const request = {
      kind: 'flow-monitor-request',
      command: 'add',
      id: 5,
      match: {},
      initial: true,
      added: true,
      removed: true,
      modified: true,
      instructions: true,
      own: false,
    } as const;
    const [first] = await of.ask(request, 'flow-monitor-reply');
    expect(first?.updates).toEqual([{ event: 'initial', flow: flow(), reason: 0 }]);
    await of.bundle([add(flow({ priority: 11 })), add(flow({ priority: 12 }))]);
    expect(await monitored()).toEqual([{ event: 'own', xid: expect.any(Number) }]);
    await lab.ofctl('add-flow', 'br0', 'table=1,priority=10,in_port=1,actions=drop');
    expect(await monitored()).toMatchObject([{ event: 'added', flow: { priority: 10, actions: [] } }]);
    await lab.ofctl('--strict', 'del-flows', 'br0', 'table=1,priority=11,in_port=1');
    const [gone] = await monitored();
    expect(gone).toMatchObject({
      event: 'removed',
      reason: 2,
      flow: { priority: 11, cookie: flow().cookie },
    });
  });

  it('a learned flow, in full', async () => {
    const learn: Flow = flow({
      table: 2,
      match: {},
      actions: [
        {
          kind: 'learn',
          table: 7,
          priority: 100,
          cookie: 0x5e71_0000_0600_0001n,
          idleTimeout: 0,
          hardTimeout: 0,
          specs: [
            { kind: 'match-value', dst: { field: 'reg11', offset: 0, bits: 32 }, value: 2n },
            { kind: 'load-value', dst: { field: 'reg10', offset: 0, bits: 32 }, value: 1n },
          ],
        },
        { kind: 'controller', maxLen: 65535, userdata: new Uint8Array([7, 1]) },
      ],
    });
    const start = flow({
      table: 0,
      match: {},
      actions: [
        { kind: 'set-field', field: 'reg14', value: 3n },
        { kind: 'goto', table: 2 },
      ],
    });
    await of.bundle([add(learn), add(start)]);
    await monitored();
    await lab.knock('br0');
    const packet = await of.next((m) => m.kind === 'packet-in');
    expect(packet).toMatchObject({
      table: 2,
      cookie: learn.cookie,
      userdata: new Uint8Array([7, 1]),
      metadata: { reg14: { value: 3n }, in_port: { value: 0xfffffffen } },
    });
    expect(await monitored()).toEqual([
      {
        event: 'added',
        reason: 0,
        flow: {
          table: 7,
          priority: 100,
          cookie: 0x5e71_0000_0600_0001n,
          match: { reg11: { value: 2n } },
          actions: [{ kind: 'set-field', field: 'reg10', value: 1n }],
        },
      },
    ]);
  });

  it('a packet that we put in, as it came out', async () => {
    await of.settle();
    const frame = new Uint8Array(64).fill(1);
    const actions = [{ kind: 'controller' as const, maxLen: 32, userdata: new Uint8Array([5]) }];
    of.send({ kind: 'packet-out', match: { in_port: { value: 0xfffffffen } }, actions, frame });
    const packet = await of.next((m) => m.kind === 'packet-in' && m.userdata[0] === 5);
    expect(packet).toMatchObject({ frame: frame.subarray(0, 32) });
  });

  it('flows that are gone, and ports that come', async () => {
    of.send({ kind: 'flow-mod', command: 'add', flow: flow({ table: 9 }), notifyRemoved: true });
    expect(await of.settle()).toEqual([]);
    of.send({ kind: 'flow-mod', command: 'delete', table: 9, cookie: 0n, cookieMask: 0n, match: {} });
    const removed = await of.next((m) => m.kind === 'flow-removed');
    expect(removed).toMatchObject({ reason: 2, flow: { table: 9, cookie: flow().cookie }, packets: 0n });
    await lab.vsctl('add-port', 'br0', 'int0', '--', 'set', 'interface', 'int0', 'type=internal');
    const status = await of.next((m) => m.kind === 'port-status' && m.reason === 'add');
    expect(status).toMatchObject({ port: { name: 'int0' } });
  });

  it('nothing to a connection that gave no miss length', async () => {
    const other = await LabConnection.open(lab.socket('br0'));
    of.send({ kind: 'flow-mod', command: 'add', flow: flow({ table: 9 }), notifyRemoved: true });
    of.send({ kind: 'flow-mod', command: 'delete', table: 9, cookie: 0n, cookieMask: 0n, match: {} });
    await of.next((m) => m.kind === 'flow-removed');
    await other.settle();
    expect(other.waitingMessages).toEqual([]);
    other.close();
  });

  it('refuses a bundle with a flow that can not stand, and says which', async () => {
    const bad = add(flow({ actions: [{ kind: 'meter', meter: 999 }] }));
    const refused = await of.bundle([add(flow({ table: 11 })), bad]);
    expect(refused).toMatchObject([{ message: bad }]);
    expect(refused.map((r) => errorText(r.type, r.code))).toEqual(['meter refused: invalid meter (12/2)']);
    const { flows } = await of.flows();
    expect(flows.filter((s) => s.flow.table === 11)).toEqual([]);
  });

  it('lets a group change its type', async () => {
    const buckets = [{ actions: [{ kind: 'output' as const, port: 1 }] }];
    const mod = (command: 'add' | 'modify', type: 'all' | 'select'): OfMessage => {
      return { kind: 'group-mod', command, group: { id: 9, type, buckets } };
    };
    expect(await of.bundle([mod('add', 'all')])).toEqual([]);
    expect(await of.bundle([mod('modify', 'select')])).toEqual([]);
    const [desc] = await of.ask({ kind: 'group-desc-request', id: 9 }, 'group-desc-reply');
    expect(desc?.groups).toEqual([{ id: 9, type: 'select', buckets }]);
  });
});
