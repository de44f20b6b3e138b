import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LabConnection, LabSwitch } from '../../../openflow/src/lab.fixture.js';
import { type OfMessage } from '#openflow';
import { CONVERSATIONS, stateText } from './conformance.fixture.js';
import { pipeline, ZONE } from './pipeline.fixture.js';

/** The conversations that the simulated switch is held to, through a real one. */
describe('conntrack of a real Open vSwitch', () => {
  let lab: LabSwitch;
  let of: LabConnection;

  beforeAll(async () => {
    lab = await LabSwitch.start();
    await lab.addBridge('br0');
    of = await LabConnection.open(lab.socket('br0'));
    of.send({ kind: 'set-config', missSendLen: 65535, matchFragments: true });
    of.send({ kind: 'set-packet-in-format', format: 'nxt-packet-in2' });
    of.send({ kind: 'set-async', packetIn: 0x3f, portStatus: 0, flowRemoved: 0, requestForward: 0 });
    expect(await of.settle()).toEqual([]);
    const mods = pipeline.map((flow): OfMessage => ({ kind: 'flow-mod', command: 'add', flow }));
    expect(await of.bundle(mods)).toEqual([]);
  });

  afterAll(async () => {
    of?.close();
    await lab?.stop();
  });

  for (const { name, frames } of CONVERSATIONS) {
    it(name, async () => {
      for (const [frame, state, mark] of frames) {
        const actions = [{ kind: 'resubmit' as const, table: 0 }];
        of.send({ kind: 'packet-out', match: { in_port: { value: 0xfffffffen } }, actions, frame });
        const told = await of.next((m) => m.kind === 'packet-in');
        const metadata = told.kind === 'packet-in' ? told.metadata : {};
        expect([stateText(metadata.ct_state?.value ?? 0n), metadata.ct_mark?.value ?? 0n]).toEqual([
          state,
          mark,
        ]);
      }
    });
  }

  const connections = async () =>
    (await lab.appctl('dpctl/dump-conntrack'))
      .split('\n')
      .filter((line) => line !== '')
      .sort();

  it('forgets connections by their values, and a zone alone', async () => {
    const before = await connections();
    expect(before.length).toBeGreaterThan(3);
    expect(before.every((line) => line.includes(`zone=${ZONE}`))).toBe(true);
    const original = { family: 4, src: 0x0a000001n, dst: 0x0a000002n, srcPort: 1, dstPort: 2 } as const;
    of.send({ kind: 'ct-flush', zone: ZONE, protocol: 17, original });
    expect(await of.settle()).toEqual([]);
    const left = await connections();
    expect(before.filter((line) => !left.includes(line))).toMatchObject([
      expect.stringMatching(/^udp,orig=\(src=10.0.0.1,dst=10.0.0.2,sport=1,dport=2\)/),
    ]);
    of.send({ kind: 'ct-flush', zone: ZONE + 1 });
    expect(await of.settle()).toEqual([]);
    expect(await connections()).toEqual(left);
    of.send({ kind: 'ct-flush', zone: ZONE });
    expect(await of.settle()).toEqual([]);
    expect(await connections()).toEqual([]);
  });
});
