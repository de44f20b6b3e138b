import { systemClock, type HostName } from '#kernel';
import {
  allotSlots,
  bridgeName,
  compile,
  connectionsLeft,
  slotKey,
  type Compiled,
  type Desired,
  type LocalFacts,
} from '#compiler';
import { diff, LEARNED_OWNER, order, type DataplaneState } from '#openflow';
import { findUnixctl, OvsDriver, Unixctl } from '#ovs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ip, until } from '../../lab/exec.js';
import { FrameAgent } from '../../lab/frames.js';
import { addNamespace, LabHost } from '../../lab/host.js';
import { ifaceIdOf } from './documents.js';
import { HostAgent } from './host-agent.js';

const WIRES = fileURLToPath(new URL('./wires.py', import.meta.url));

/** Devices of guests by switch, and of uplinks. */
export interface Cabling {
  readonly name: string;
  readonly guests: Readonly<Record<string, readonly string[]>>;
  readonly uplinks: Readonly<Record<string, readonly string[]>>;
}

/** The other end of a device's cable. */
const inner = (device: string): string => `i-${device}`;
const outer = (cable: string): string => cable.slice(2);

/** Frames that came out, by device. */
const shownBy = (reply: { readonly [field: string]: unknown }): [string, string][] =>
  (reply['got'] as [string, string][])
    .map(([cable, octets]): [string, string] => [outer(cable), octets])
    .filter((out) => !isAsked(out));

/** All that a switch learned. */
const LEARNED = `cookie=0x${LEARNED_OWNER.toString(16)}000000000000/0xffff000000000000`;

/** Flows of another hand, which ours leaves alone: what bears this type is sent back, or to every cable. */
const MARKERS = [
  'cookie=0x77,table=0,priority=65535,dl_type=0x88b6,dl_dst=02:5e:00:00:00:01,actions=IN_PORT',
  'cookie=0x77,table=0,priority=65535,dl_type=0x88b6,dl_dst=02:5e:00:00:00:02,actions=ALL,IN_PORT',
];

/** From whom the host's own questions come, which a model knows nothing of. */
const ASKS = '02504f52544f';
const isAsked = ([, octets]: readonly [string, string]): boolean => octets.slice(12, 24) === ASKS;

/** What is wrong on purpose: with what the agent knows, or with what it made of that. */
export interface Wrong {
  readonly facts?: (facts: LocalFacts) => LocalFacts;
  readonly state?: (state: DataplaneState, host: string) => DataplaneState;
}

/** One host with a real switch, both ends of all its cables in its own namespace. */
export class RigHost {
  private down = new Set<string>();
  private agent: HostAgent;
  /** What was to be carried out last, and how. */
  private wanted: readonly [Desired, Wrong] | undefined;
  private readonly numbers = new Map<string, number>();
  /** Devices by their numbers in the datapath. */
  readonly datapath = new Map<number, string>();

  private constructor(
    readonly cabling: Cabling,
    private readonly host: LabHost,
    private readonly driver: OvsDriver,
    private readonly ctl: Unixctl,
    private readonly wires: FrameAgent,
  ) {
    this.agent = new HostAgent(this.name, driver, false);
    driver.watch((event) => this.agent.noticed(event));
  }

  private get name(): HostName {
    return this.cabling.name as HostName;
  }

  static async start(netns: string, rundir: string, cabling: Cabling): Promise<RigHost> {
    await addNamespace(netns);
    const host = new LabHost(cabling.name, netns, rundir, []);
    try {
      return await RigHost.startIn(host, cabling);
    } catch (cause) {
      await host.stop();
      await ip('netns', 'del', netns);
      throw cause;
    }
  }

  private static async startIn(host: LabHost, cabling: Cabling): Promise<RigHost> {
    const { netns, rundir } = host;
    const devices = [cabling.guests, cabling.uplinks].flatMap((kind) => Object.values(kind).flat());
    const cable = (d: string): string =>
      [
        `ip link add ${d} type veth peer name ${inner(d)}`,
        ...[d, inner(d)].map(
          (end) => `ethtool -K ${end} rx off tx off tso off gso off gro off; ip link set ${end} up`,
        ),
      ].join(' && ');
    await host.exec('sh', '-c', `set -e; ${devices.map(cable).join('; ')}`);
    await host.start();
    const driver = new OvsDriver({ rundir, datapathType: 'netdev' });
    await driver.start();
    const ctl = new Unixctl(() => findUnixctl(rundir), systemClock);
    return new RigHost(cabling, host, driver, ctl, new FrameAgent(netns, WIRES));
  }

  /** Plugs all guests, once the bridges stand. */
  async plug(empty: Desired): Promise<void> {
    await this.become((await this.compiled(empty)).state);
    const cables = Object.entries({ ...this.cabling.guests }).flatMap(([sw, devices]) =>
      devices.flatMap((d) => [
        ...['--', 'add-port', bridgeName(sw), d],
        ...['--', 'set', 'Interface', d, `external_ids:iface-id="${ifaceIdOf(d)}"`],
      ]),
    );
    await this.host.vsctl(...cables.slice(1));
    const wanted = [this.cabling.guests, this.cabling.uplinks].flatMap((kind) => Object.values(kind).flat());
    await until('the driver to hear of all devices', async () => {
      for (const { name, ofport = 0 } of await this.driver.interfaces())
        if (ofport > 0) this.numbers.set(name, ofport);
      return wanted.every((d) => this.numbers.has(d)) ? true : undefined;
    });
    const shown = await this.ctl.call('dpif/show');
    for (const [, device, number] of shown.matchAll(/^\s+(\S+) [0-9]+\/([0-9]+):/gm))
      this.datapath.set(Number(number), device as string);
    for (const sw of new Set([...Object.keys(this.cabling.guests), ...Object.keys(this.cabling.uplinks)])) {
      for (const flow of MARKERS) await this.host.ofctl('add-flow', this.management(sw), flow);
    }
    const ends = [this.cabling.guests, this.cabling.uplinks].flatMap((kind) =>
      Object.entries(kind).flatMap(([sw, devices]) => devices.map((d) => [inner(d), sw])),
    );
    await this.wires.request('open', { cables: ends });
  }

  /** Documents and what the host sees → what the switch must be, as an agent makes it. */
  async compiled(desired: Desired): Promise<Compiled> {
    return compile(desired, await this.facts(desired));
  }

  /**
   * From now on an agent that knows nothing yet. With `empty`, nothing stands of what came before.
   */
  async anew(hears: boolean, empty?: Desired): Promise<void> {
    // What it would still be told is told before.
    await this.told();
    await this.agent.close();
    this.agent = new HostAgent(this.name, this.driver, hears);
    if (empty === undefined) return;
    this.wanted = undefined;
    await this.become((await this.compiled(empty)).state);
  }

  /** MACs, and that they moved: that is left when nobody learns any more. */
  async forgetLearned(): Promise<void> {
    const switches = Object.keys(this.cabling.guests);
    await Promise.all(switches.map((sw) => this.host.ofctl('del-flows', this.management(sw), LEARNED)));
  }

  /** Carries documents out as an agent does, with what it knows. */
  async carryOut(desired: Desired, wrong: Wrong = {}): Promise<Compiled> {
    this.wanted = [desired, wrong];
    const have = await this.driver.read();
    const facts = { ...(await this.facts(desired)), ...(await this.agent.facts(have, desired)) };
    const compiled = compile(desired, wrong.facts?.(facts) ?? facts);
    await this.become(wrong.state?.(compiled.state, this.name) ?? compiled.state);
    this.agent.carriedOut(compiled, have, desired);
    return compiled;
  }

  /** Waits until the agent has made all of what it was told. */
  async settle(): Promise<void> {
    for (;;) {
      await this.told();
      await this.agent.sent();
      if (!this.agent.isKicked) return;
      this.agent.isKicked = false;
      if (this.wanted !== undefined) await this.carryOut(...this.wanted);
    }
  }

  /** Lets time pass for the agent. */
  async pass(ms: number): Promise<void> {
    this.agent.pass(ms);
    await this.settle();
  }

  /** What came out since because of the agent, but for its own questions. */
  async answered(): Promise<[string, string][]> {
    await this.settle();
    if (!this.agent.hasSent) return [];
    this.agent.hasSent = false;
    const { path } = (await findUnixctl(this.host.rundir)) as { readonly path: string };
    return shownBy(await this.wires.request('collect', { ctl: path }));
  }

  /** Every later frame is decided on anew, and what waited for the switch's next look at its statistics is done. */
  async forgetDecisions(): Promise<void> {
    await this.ctl.call('revalidator/purge');
  }

  /** The steps of an agent, and then nothing is decided by what was cached before. */
  async become(state: DataplaneState): Promise<void> {
    const plan = diff(state, await this.driver.read());
    const flush = plan.bridges.map((b) => ({ bridge: b.bridge, connections: connectionsLeft(b) }));
    for (const step of order(plan, { flush })) await this.driver.apply(step);
    await this.ctl.call('revalidator/purge');
  }

  async forgetConnections(): Promise<void> {
    await this.ctl.call('dpctl/flush-conntrack');
  }

  /** Takes links away, and gives back those that are not named. */
  async setDown(devices: readonly string[]): Promise<void> {
    const all = Object.values(this.cabling.uplinks).flat();
    const changed = all.filter((d) => devices.includes(d) !== this.down.has(d));
    for (const d of changed) await this.wires.request('link', { cable: inner(d), up: !devices.includes(d) });
    this.down = new Set(devices);
    if (changed.length === 0) return;
    await until('the switch to note its links', async () => {
      const seen = await this.driver.interfaces();
      return all.every((d) => seen.find((i) => i.name === d)?.linkUp === !this.down.has(d))
        ? true
        : undefined;
    });
  }

  /** What the switch says it would do with a frame. */
  trace(device: string, frame: string): Promise<string> {
    const sw = this.switchOf(device);
    const port = this.numbers.get(device);
    if (port === undefined) throw new Error(`${device} has no number`);
    return this.ctl.call('ofproto/trace', [bridgeName(sw), `in_port=${port}`, frame]);
  }

  /** Sends frames by these devices; all that came out of the switch for them: [device, octets]. */
  async run(frames: readonly (readonly [string, string])[]): Promise<[string, string][]> {
    if (frames.length === 0) return [];
    const { path } = (await findUnixctl(this.host.rundir)) as { readonly path: string };
    const sent = frames.map(([device, octets]) => [inner(device), octets]);
    const reply = await this.wires.request('run', { frames: sent, ctl: path });
    return shownBy(reply);
  }

  async stop(): Promise<void> {
    await this.agent.close();
    await this.driver.close();
    this.ctl.close();
    await this.wires.stop();
    await this.host.stop();
    await ip('netns', 'del', this.host.netns);
  }

  /** What the switch has handed over by now has come: it says so before it answers. */
  private async told(): Promise<void> {
    await Promise.all(Object.keys(this.cabling.guests).map((sw) => this.driver.portStats(bridgeName(sw))));
  }

  private async facts({ host, ports }: Desired): Promise<LocalFacts> {
    return {
      host: host.host,
      round: 7,
      interfaces: await this.driver.interfaces(),
      slots: allotSlots(
        {},
        ports.map((p) => slotKey(p.port, p.epoch)),
      ),
      activations: [],
      handedOver: [],
    };
  }

  private switchOf(device: string): string {
    const { guests, uplinks } = this.cabling;
    const found = [guests, uplinks]
      .flatMap((k) => Object.entries(k))
      .find(([, list]) => list.includes(device));
    if (found === undefined) throw new Error(`${this.cabling.name} has no device ${device}`);
    return found[0];
  }

  private management(sw: string): string {
    return `unix:${join(this.host.rundir, `${bridgeName(sw)}.mgmt`)}`;
  }
}
