import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CounterSample } from '#contracts';
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
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
try:
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

  const sampled = async (n: number): Promise<CounterSample> => {
    const { counters } = await agent.agent.telemetry();
    return counters.find(({ port }) => port === `p${n}`) as CounterSample;
  };
  const handedOver = ({ raw: { out } }: CounterSample): number =>
    out.unicast.packets + out.multicast.packets + out.broadcast.packets;

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
    const [before, sentBefore] = [await sampled(1), (await a.received()).frames];
    for (let i = 0; i < 3; i += 1) await sees('udp', 4_001);
    const [after, frames] = [await sampled(1), (await a.received()).frames];
    expect((after.dropped?.in ?? 0) - (before.dropped?.in ?? 0)).toBe(3);
    expect(after.dropped?.out).toBe(before.dropped?.out);
    expect(handedOver(after) - handedOver(before)).toBe(frames - sentBefore);
  });

  it('ends a connection that was begun before, whose guest is told', async () => {
    const open = rule('open', 'allow', to(6, 4_002), { direction: 'in' });
    const rest = [
      rule('arp', 'allow', { etherType: 0x0806 }),
      rule('ours', 'allow', {}, { direction: 'out' }),
    ];
    await become({ 1: stateful(open, ...rest) });
    const server = b.exec('python3', '-c', SERVER, '4002');
    const client = a.exec('python3', '-c', TALKER, IP(2), '4002');
    await until('the connection', async () =>
      (await lab.appctl('a', 'dpctl/dump-conntrack')).includes('dport=4002') ? true : undefined,
    );
    await become({ 1: stateful({ ...open, action: 'reject' }, ...rest) });
    expect((await client).trim()).toBe('ConnectionResetError');
    await become({});
    await server;
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
    const counted = (ports: string, rest: number, udp: number) =>
      until(`${udp} hits`, async () => {
        const now = await hits(ports);
        return now?.['udp'] === udp && now['rest'] === rest ? true : undefined;
      });
    const udp = rule('udp', 'allow', { ipVersion: 4, ...to(17, 4_001) }, { direction: 'in' });
    const rest = rule('rest', 'allow', { ipVersion: 4, ...to(17, 4_002) });
    await become({ 1: { ...NOTHING, rules: [udp, rest] }, 2: { ...NOTHING, rules: [udp, rest] } });
    await a.send({ to: b, count: 30, pps: 2_000 });
    await b.send({ to: a, count: 12, pps: 2_000 });
    await counted('p1,p2', 0, 42);
    await become({ 1: { ...NOTHING, rules: [rest, udp] }, 2: { ...NOTHING, rules: [rest, udp] } });
    await a.send({ to: b, count: 5, pps: 2_000 });
    await counted('p1,p2', 0, 47);
    await become({ 2: { ...NOTHING, rules: [rest, udp] } });
    await b.send({ to: a, count: 3, pps: 2_000 });
    await counted('p2', 0, 50);
  });

  it('drops without the agent, and nobody is told', async () => {
    await become({ 1: { ...NOTHING, rules: [rule('no', 'reject', { ipProtocol: 6 })] } });
    expect(await sees('tcp', 4_001)).toBe('ConnectionRefusedError');
    await agent.stop();
    // The other guest's kernel would have refused.
    expect(await sees('tcp', 4_001)).toBe('TimeoutError');
  });
});
