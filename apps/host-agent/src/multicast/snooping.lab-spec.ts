import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TABLES } from '#compiler';
import { documentsOf, LabAgent } from '../../../../test/lab/agent.js';
import { Listener } from '../../../../test/lab/listener.js';
import { Lab, until, type LabVm } from '../../../../test/lab/net.js';
import { BRIDGE, mac, type BindingSpec } from '../agent.fixture.js';
import { MAX_GROUPS } from './memberships.js';
import { igmp2, igmp3, igmpFrame, ip4 } from './messages.fixture.js';
import { snooping } from './snooping.js';

const [SENDER, MEMBER, OTHER, TRUNK] = [1, 2, 3, 4];
const GROUP = { mac: '01:00:5e:01:02:03', ip: '239.1.2.3' };
const NOBODYS = { mac: '01:00:5e:09:09:09', ip: '239.9.9.9' };
const OF_LINK = { mac: '01:00:5e:00:00:fb', ip: '224.0.0.251' };
const GROUP_6 = 'ff15::7:7';
const TAGGED = 101;
const PPS = 500;
const COUNT = 20;

/** A UDP datagram to the IPv6 group, whose last byte is this one. */
const datagram6 = (from: number, number: number): Uint8Array => {
  const address = (first: string, last: string) =>
    `${first}${'0'.repeat(32 - first.length - last.length)}${last}`;
  const head = `600000000009${'11'}01${address('fe80', `0${from}`)}${address('ff15', '00070007')}`;
  const text = `333300070007${mac(from).replaceAll(':', '')}86dd${head}30393039000900${'00'}`;
  return Uint8Array.from([...Buffer.from(text, 'hex'), number]);
};

/** Guests that join by their kernels, on a real switch; a machine outside that listens, and sends, too. */
describe('multicast to those who joined', () => {
  let lab: Lab;
  let agent: LabAgent;
  let far: LabVm;
  const vms = new Map<number, LabVm>();
  const listeners = new Map<number, Listener>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;
  const at = (n: number): Listener => listeners.get(n) as Listener;
  let revision = 0;

  const bindings: readonly BindingSpec[] = [SENDER, MEMBER, OTHER, TRUNK].map((n) => ({
    n,
    ...(n === TRUNK
      ? { override: { vlan: { mode: 'trunk', ranges: [{ from: 100, to: 103 }] } as never } }
      : {}),
  }));
  const become = (some: readonly BindingSpec[]) =>
    agent.become(documentsOf((revision += 1), some, { features: { multicast: 'snooping' } }));
  /** Flows of a priority in the table of groups, as another program reads them. */
  const rows = async (priority: number): Promise<readonly string[]> =>
    (await lab.ofctl('a', 'dump-flows', BRIDGE, `table=${TABLES.MCAST}`))
      .split('\n')
      .filter((line) => line.includes(`priority=${priority},`));
  const groups = (count: number) =>
    until(`${count} groups`, async () => ((await rows(200)).length === count ? true : undefined));
  const settled = () =>
    until('all guests to be settled', async () => ((await rows(100)).length === 0 ? true : undefined));
  /** What of a stream reached each guest and the machine outside. */
  const reached = async (from: LabVm, to: { mac: string; ip: string }, vlan?: number) => {
    const [first] = [SENDER, MEMBER, OTHER, TRUNK].filter((n) => vm(n) === from);
    const all = [MEMBER, OTHER, TRUNK].filter((n) => n !== first).map(vm);
    const counted = async () =>
      Promise.all([...all, far].map(async (one) => (await one.receivedFrom(from, to.mac)).unique));
    const before = await counted();
    await from.send({ to, count: COUNT, pps: PPS, ...(vlan === undefined ? {} : { vlan }) });
    // Everybody gets what comes last.
    const marks = await Promise.all(
      all.map(async (one) => (await one.receivedFrom(from, 'broadcast')).unique),
    );
    await from.send({ to: 'broadcast', count: 1, pps: PPS, ...(vlan === undefined ? {} : { vlan }) });
    await until('the last one', async () => {
      const now = await Promise.all(
        all.map(async (one) => (await one.receivedFrom(from, 'broadcast')).unique),
      );
      return now.some((n, i) => n > (marks[i] ?? 0)) ? true : undefined;
    });
    await lab.host('a').drained('up0');
    return (await counted()).map((n, i) => n - (before[i] ?? 0));
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    agent = new LabAgent(lab.host('a'), [snooping]);
    await agent.start();
    await become([]);
    far = await lab.addOutsider({ name: 'far', mac: mac(9), ip: '10.0.0.9' });
    for (const { n } of bindings) {
      const options = { bridge: BRIDGE, name: `vm${n}`, mac: mac(n), ip: `10.0.0.${n}`, ifaceId: `if-${n}` };
      vms.set(n, await lab.addVm('a', { ...options, kernelIp: n !== SENDER }));
      listeners.set(n, new Listener(vm(n)));
    }
    await vm(MEMBER).exec('sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6');
    await become(bindings);
  });

  afterAll(async () => {
    for (const listener of listeners.values()) await listener.stop();
    await agent?.stop();
    await lab?.destroy();
  });

  it('gives every group to who was not asked yet, and then to members only', async () => {
    await settled();
    await at(MEMBER).join(GROUP.ip);
    await groups(1);
    expect(await reached(vm(SENDER), GROUP)).toEqual([COUNT, 0, 0, COUNT]);
    expect(await reached(vm(SENDER), NOBODYS)).toEqual([0, 0, 0, COUNT]);
    expect(await reached(vm(SENDER), OF_LINK)).toEqual([COUNT, COUNT, 0, COUNT]);
    expect(await reached(far, GROUP)).toEqual([COUNT, 0, 0, 0]);
  });

  it('forgets who left, and delivers nothing any more', async () => {
    await at(MEMBER).leave(GROUP.ip);
    await groups(0);
    expect(await reached(vm(SENDER), GROUP)).toEqual([0, 0, 0, COUNT]);
  });

  it('does the same for IPv6', async () => {
    await at(MEMBER).join(GROUP_6);
    await groups(1);
    const sent = [1, 2, 3].map((n) => datagram6(SENDER, n));
    for (const one of sent) await vm(SENDER).sendRaw(one);
    const got = async (n: number) => {
      const { recent } = await vm(n).received();
      return sent.filter((f) => recent.some(({ hex }) => hex === Buffer.from(f).toString('hex'))).length;
    };
    await until('the member to get all', async () => ((await got(MEMBER)) === 3 ? true : undefined));
    expect(await reached(vm(SENDER), NOBODYS)).toEqual([0, 0, 0, COUNT]);
    expect([await got(OTHER), await got(TRUNK)]).toEqual([0, 0]);
    await at(MEMBER).leave(GROUP_6);
    await groups(0);
  });

  it('knows the VLAN that a trunk listens in', async () => {
    const to = ip4(GROUP.ip);
    await vm(TRUNK).sendRaw(igmpFrame({ mac: mac(TRUNK), to, vlan: TAGGED }, igmp2(0x16, to)));
    await groups(1);
    expect(await reached(far, GROUP, TAGGED)).toEqual([0, 0, COUNT, 0]);
    expect((await vm(TRUNK).receivedFrom(far, GROUP.mac)).vlans).toEqual([TAGGED]);
    expect(await reached(far, GROUP)).toEqual([0, 0, 0, 0]);
  });

  it('brings a router’s question about a group to its members, and their answers to the router', async () => {
    await at(MEMBER).join(GROUP.ip);
    await groups(2);
    const asked = igmpFrame(
      { mac: mac(9), from: ip4('10.0.0.9'), to: ip4(GROUP.ip) },
      igmp2(0x11, ip4(GROUP.ip), 3),
    );
    for (const one of [far, ...vms.values()]) await one.resetReceived();
    await far.sendRaw(asked);
    const hears = async (one: LabVm, text: string | RegExp): Promise<boolean> =>
      (await one.received()).recent.some(({ hex }) => hex.match(text) !== null);
    const text = Buffer.from(asked).toString('hex');
    await until('the question', async () => ((await hears(vm(MEMBER), text)) ? true : undefined));
    // Of version 2, as it was asked.
    const answer = new RegExp(`^01005e010203${mac(MEMBER).replaceAll(':', '')}0800.*1600....ef010203`);
    await until('the answer', async () => ((await hears(far, answer)) ? true : undefined));
    expect([await hears(vm(OTHER), text), await hears(vm(OTHER), answer)]).toEqual([false, false]);
  });

  it('goes on with what stands when the agent begins anew', async () => {
    const before = await rows(200);
    await agent.stop();
    expect(await reached(vm(SENDER), GROUP)).toEqual([COUNT, 0, 0, COUNT]);
    agent.steps.length = 0;
    await agent.start(documentsOf(revision, bindings, { features: { multicast: 'snooping' } }));
    await until('the first pass', () => Promise.resolve(agent.agent.compiled === null ? undefined : true));
    await become(bindings);
    expect(agent.steps.map(({ step }) => step.kind)).not.toContain('bundle');
    expect((await rows(200)).length).toBe(before.length);
    expect(await reached(vm(SENDER), GROUP)).toEqual([COUNT, 0, 0, COUNT]);
  });

  it('holds a guest that wants too many groups to its share, and says so', async () => {
    const wanted = Array.from({ length: MAX_GROUPS + 6 }, (_, n) => [4, ip4(`239.5.0.${n}`), 0] as const);
    await vm(OTHER).sendRaw(igmpFrame({ mac: mac(OTHER), to: ip4('224.0.0.22') }, igmp3(wanted)));
    await until('the exception', () =>
      Promise.resolve(agent.report?.exceptions.some((e) => e.code === 'groups-too-many') ? true : undefined),
    );
    await groups(2 + MAX_GROUPS);
    expect(agent.report?.exceptions.map((e) => e.object)).toEqual(['port/p3']);
    expect(await reached(vm(SENDER), { mac: '01:00:5e:05:00:00', ip: '239.5.0.0' })).toEqual([
      0,
      COUNT,
      0,
      COUNT,
    ]);
    const beyond = { mac: '01:00:5e:05:00:45', ip: '239.5.0.69' };
    expect(await reached(vm(SENDER), beyond)).toEqual([0, 0, 0, COUNT]);
    expect(await reached(vm(SENDER), GROUP)).toEqual([COUNT, 0, 0, COUNT]);
  });
});
