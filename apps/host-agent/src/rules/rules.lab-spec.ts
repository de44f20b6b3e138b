import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { equalJson } from '#kernel';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { documentsOf, LabAgent } from '../../../../test/lab/agent.js';
import { BRIDGE } from '../agent.fixture.js';
import { SERVICES } from '../services.js';

const IP = (n: number): string => `10.0.0.${n}`;
const IP6 = (n: number): string => `fd00::${n}`;

/** What a program sees that connects, and for UDP says something and listens: the name of its error. */
const CLIENT = `
import socket, sys, time
kind, host, port = sys.argv[1:4]
s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET,
                  socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(0.9)
try:
    s.connect((host, int(port)))
    if kind == 'udp':
        s.send(b'hello')
        s.recv(9)
    print('fine')
except Exception as e:
    print(type(e).__name__)
`;

/** Connects and goes on talking until it may no more. */
const TALKER = `
import socket, sys, time
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
    for _ in range(500):
        s.send(b'hello')
        time.sleep(0.02)
    print('fine')
except Exception as e:
    print(type(e).__name__)
`;
const SERVER = `
import socket, sys
s = socket.create_server(('', int(sys.argv[1])))
c, _ = s.accept()
c.settimeout(1)
try:
    while c.recv(99): pass
except Exception: pass
`;

const rule = (name: string, action: string, match: object, more: object = {}) => ({
  ...{ name, direction: 'both', action, tier: 1, enabled: true, match },
  ...more,
});
const to = (ipProtocol: number, port: number) => ({ ipProtocol, dstPort: { from: port, to: port } });

/** Rules and what the agent has to do with them, on a real switch, with the sockets of real kernels. */
describe('rules that the agent has a part in', () => {
  let lab: Lab;
  let agent: LabAgent;
  let revision = 0;
  let a: LabVm;
  let b: LabVm;

  const become = (filters: Readonly<Record<number, object>>): Promise<void> => {
    const bindings = [1, 2].map((n) => ({ n, override: { filter: filters[n] ?? NOTHING } as never }));
    return agent.become(documentsOf((revision += 1), bindings));
  };
  const NOTHING = { stateful: false, default: 'allow', rules: [] };
  const stateful = (...rules: object[]) => ({ stateful: true, default: 'drop', rules });
  /** Of guest 1, to guest 2. */
  const sees = async (kind: 'tcp' | 'udp', port: number, host = IP(2)): Promise<string> =>
    (await a.exec('python3', '-c', CLIENT, kind, host, `${port}`)).trim();

  const counted = async (): Promise<{ in: number; out: number; handed: number }> => {
    const { counters } = await agent.agent.telemetry();
    const one = counters.find(({ port }) => port === 'p1');
    if (one?.dropped === undefined) throw new Error('p1 is not counted');
    const { unicast, multicast, broadcast } = one.raw.out;
    return { ...one.dropped, handed: unicast.packets + multicast.packets + broadcast.packets };
  };
  /** What was counted of guest 1, and the frames that it got, at a moment in which nothing was on its way. */
  const atRest = () =>
    until('rest', async () => {
      const before = await counted();
      const { frames } = await a.received();
      const after = await counted();
      return equalJson(before, after) ? { ...after, frames } : undefined;
    });

  async function guest(n: number): Promise<LabVm> {
    const vm = await lab.addVm('a', { bridge: BRIDGE, ...numbered(n), kernelIp: true });
    await vm.exec('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.eth0.disable_ipv6=0');
    await vm.exec('ip', 'addr', 'add', `${IP6(n)}/64`, 'dev', 'eth0', 'nodad');
    return vm;
  }

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    agent = new LabAgent(lab.host('a'), SERVICES);
    await agent.start();
    await agent.become(documentsOf((revision += 1), []));
    a = await guest(1);
    b = await guest(2);
  });

  afterAll(async () => {
    await agent?.stop();
    await lab?.destroy();
  });

  it('refuses at once, over TCP and UDP, IPv4 and IPv6, at the sender’s port and at the receiver’s', async () => {
    const rules = [rule('tcp', 'reject', to(6, 4_001)), rule('udp', 'reject', to(17, 4_001))];
    for (const filters of [{ 1: { ...NOTHING, rules } }, { 2: { ...NOTHING, rules } }]) {
      await become(filters);
      for (const host of [IP(2), IP6(2)])
        for (const kind of ['tcp', 'udp'] as const)
          expect([host, kind, await sees(kind, 4_001, host)]).toEqual([host, kind, 'ConnectionRefusedError']);
    }
    // It was not the other guest that refused.
    expect((await b.received()).recent.filter(({ hex }) => hex.includes('0fa1'))).toEqual([]);
  });

  it('counts what it rejects as dropped, and its answers as handed over', async () => {
    await become({ 1: { ...NOTHING, rules: [rule('no', 'reject', to(17, 4_001))] } });
    const before = await atRest();
    for (let i = 0; i < 3; i += 1) await sees('udp', 4_001);
    const after = await atRest();
    expect(after.in - before.in).toBe(3);
    expect(after.out).toBe(before.out);
    expect(after.handed - before.handed).toBe(after.frames - before.frames);
  });

  it('ends a connection that was begun before, whose guest is told', async () => {
    const open = rule('open', 'allow', to(6, 4_002), { direction: 'in' });
    const rest = [
      rule('arp', 'allow', { etherType: 0x0806 }),
      rule('ours', 'allow', {}, { direction: 'out' }),
    ];
    await become({ 1: stateful(open, ...rest) });
    const server = b.exec('python3', '-c', SERVER, '4002');
    const listens = async () => (await b.exec('ss', '-ltnH')).includes(':4002') || undefined;
    await until('the server', listens);
    const client = a.exec('python3', '-c', TALKER, IP(2), '4002');
    const stands = async () =>
      (await b.exec('ss', '-tnH', 'state', 'established')).includes(':4002') || undefined;
    await until('the connection', stands);
    await become({ 1: stateful({ ...open, action: 'reject' }, ...rest) });
    const [ended] = await Promise.all([client, server]);
    expect(ended.trim()).toBe('ConnectionResetError');
    await become({});
  });

  it('is asked of no more of a flood than it has answers for', async () => {
    await become({ 1: { ...NOTHING, rules: [rule('no', 'reject', to(17, 4_001))] } });
    let told = 0;
    const stop = agent.driver.watch((event) => void (told += event.kind === 'packet-in' ? 1 : 0));
    const began = Date.now();
    await a.send({ to: b, count: 2_000, pps: 4_000 });
    await lab.host('a').drained(...a.pluggedAt.map(({ outside }) => outside));
    expect(await sees('tcp', 4_003)).toBe('ConnectionRefusedError');
    stop();
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(101 + (Date.now() - began) / 10);
    expect((await b.receivedFrom(a)).count).toBe(0);
  });

  it('counts what each rule took, over changes of the list and its numbers', async () => {
    const hits = async (ports: string): Promise<Readonly<Record<string, number>> | undefined> => {
      const { rules = [] } = await agent.agent.telemetry();
      return rules.find((list) => [...list.ports].sort().join() === ports)?.hits;
    };
    const taken = (ports: string, rest: number, udp: number) =>
      until(`${udp} hits`, async () => {
        const now = await hits(ports);
        return now?.['udp'] === udp && now['rest'] === rest ? true : undefined;
      });
    // Of a port that nothing was sent to before: what was lately counted may be told of the rule that comes after.
    const udp = rule('udp', 'allow', { ipVersion: 4, ...to(17, 4_011) }, { direction: 'in' });
    const rest = rule('rest', 'allow', { ipVersion: 4, ...to(17, 4_002) });
    await become({ 1: { ...NOTHING, rules: [udp, rest] }, 2: { ...NOTHING, rules: [udp, rest] } });
    await a.send({ to: b, count: 30, pps: 2_000, dstPort: 4_011 });
    await b.send({ to: a, count: 12, pps: 2_000, dstPort: 4_011 });
    await taken('p1,p2', 0, 42);
    await become({ 1: { ...NOTHING, rules: [rest, udp] }, 2: { ...NOTHING, rules: [rest, udp] } });
    await a.send({ to: b, count: 5, pps: 2_000, dstPort: 4_011 });
    await taken('p1,p2', 0, 47);
    await become({ 2: { ...NOTHING, rules: [rest, udp] } });
    await b.send({ to: a, count: 3, pps: 2_000, dstPort: 4_011 });
    await taken('p2', 0, 50);
  });

  it('logs what a rule took, of a flood as much as it may and no more', async () => {
    const log = { perSecond: 5, sample: 1 };
    const ssh = rule('ssh', 'allow', to(6, 4_003), { log });
    await become({ 2: { ...NOTHING, rules: [ssh, rule('rest', 'drop', to(17, 4_001), { log })] } });
    expect(await sees('tcp', 4_003)).toBe('ConnectionRefusedError');
    const [line] = await until('the line', async () => (await agent.agent.telemetry()).log?.lines);
    expect(line).toMatchObject({
      ...{ switch: 'lan', port: 'p2', rule: 'ssh', direction: 'out', verdict: 'allow', vlan: 0 },
      ip: { src: IP(1), dst: IP(2), protocol: 6, dstPort: 4_003 },
    });
    const began = Date.now();
    await a.send({ to: b, count: 1_000, pps: 4_000 });
    await lab.host('a').drained(...a.pluggedAt.map(({ outside }) => outside));
    const { lines } = await until('lines of the flood', async () => (await agent.agent.telemetry()).log);
    expect(lines.every((l) => l.rule === 'rest' && l.verdict === 'drop')).toBe(true);
    expect(lines.length).toBeLessThan(6 + (Date.now() - began) / 200);
  });

  it('drops without the agent, and nobody is told', async () => {
    await become({ 1: { ...NOTHING, rules: [rule('no', 'reject', { ipProtocol: 6 })] } });
    expect(await sees('tcp', 4_001)).toBe('ConnectionRefusedError');
    await agent.stop();
    // The other guest's kernel would have refused.
    expect(await sees('tcp', 4_001)).toBe('TimeoutError');
  });
});
