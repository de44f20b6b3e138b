import { ip, run, until } from './exec.js';
import { FrameAgent, type FrameStats, type SendReport, type StreamReceived } from './frames.js';
import { quiet, type LabHost } from './host.js';

export interface VmOptions {
  /** The bridge to plug into; it must be there. */
  readonly bridge: string;
  readonly name: string;
  readonly mac: string;
  /** Address that the frames bear. The kernel has none, so that it answers nothing, unless `kernelIp` is set. */
  readonly ip: string;
  /** Absent: no iface-id is set, as for a device that somebody plugged by hand. */
  readonly ifaceId?: string;
  /** `port-profile`: the port group's name. */
  readonly profile?: string;
  /** Gives the kernel the address (as /24), for ping and sockets; it then sends frames of its own. */
  readonly kernelIp?: boolean;
  /** Further external_ids of the interface. */
  readonly externalIds?: Readonly<Record<string, string>>;
}

export interface SendOptions {
  readonly to: LabVm | 'broadcast' | { readonly mac: string; readonly ip: string };
  /** Frames; absent: until `stopSending`. */
  readonly count?: number;
  /** Frames a second. */
  readonly pps: number;
  /** Octets of the whole frame. */
  readonly size?: number;
  /** 802.1Q tag put on by the guest. */
  readonly vlan?: number;
  /** Forged addresses. */
  readonly srcMac?: string;
  readonly srcIp?: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  /** As echo requests of ICMP: what the receiver's kernel answers comes back as of the same stream. */
  readonly echo?: boolean;
}

export interface MoveOptions {
  readonly bridge?: string;
  /** Runs when the destination's interface is plugged and the guest still runs at the source. */
  readonly beforeSwitch?: () => Promise<void>;
  /** RARPs that the guest's first breath sends; absent: 1. */
  readonly rarps?: number;
  /** Runs when the guest runs at the destination and the source's interface is still plugged. */
  readonly beforeUnplug?: () => Promise<void>;
}

/** One end of a vNIC: a veth pair whose `outside` is plugged into a host's bridge. */
export interface Plug {
  readonly host: LabHost;
  readonly bridge: string;
  /** Device in the guest, and in the host's namespace (the OVS port's name). */
  readonly inside: string;
  readonly outside: string;
}

/** What labs give guest n (1 to 254): its names, its MAC and its address follow from the number. */
export const numbered = (
  n: number,
): Pick<VmOptions, 'name' | 'mac' | 'ip'> & { readonly ifaceId: string } => ({
  name: `vm${n}`,
  mac: `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`,
  ip: `10.0.0.${n}`,
  ifaceId: `if-${n}`,
});

const BROADCAST = { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' };
const NOTHING: StreamReceived = {
  count: 0,
  unique: 0,
  duplicates: 0,
  disorder: 0,
  first: -1,
  last: -1,
  lastAt: 0,
  missing: [],
  longest: 0,
  gapMs: 0,
  doubled: 0,
  vlans: [],
};

/** A guest: a namespace that sends and counts frames. It may be plugged at two hosts while it moves. */
export class LabVm {
  readonly agent: FrameAgent;
  private readonly streams = new Map<string, { readonly id: number; next: number; busy: boolean }>();
  private plugs: Plug[] = [];
  private plugCount = 0;

  /** `index` is unique in the lab: streams and device names are made of it. */
  constructor(
    readonly options: VmOptions,
    readonly netns: string,
    private readonly index: number,
    private readonly hostOf: (name: string) => LabHost,
  ) {
    this.agent = new FrameAgent(netns);
  }

  get name(): string {
    return this.options.name;
  }

  get mac(): string {
    return this.options.mac;
  }

  get ip(): string {
    return this.options.ip;
  }

  /** Where the vNIC is plugged, the oldest first. */
  get pluggedAt(): readonly Plug[] {
    return this.plugs;
  }

  /** Plugs a vNIC at a host as a hypervisor does. The guest does not run on it yet. */
  async plugAt(hostName: string, bridge = this.options.bridge): Promise<Plug> {
    const plug = await this.vnicAt(hostName, bridge);
    await this.connect(plug);
    return plug;
  }

  /** Makes a vNIC at a host that its bridge knows nothing of yet. */
  async vnicAt(hostName: string, bridge = this.options.bridge): Promise<Plug> {
    const host = this.hostOf(hostName);
    const count = this.plugCount++;
    const plug = { host, bridge, inside: `eth${count}`, outside: `vnic${this.index}-${count}` };
    await this.cable(plug.inside, host.netns, plug.outside);
    this.plugs.push(plug);
    return plug;
  }

  /** Puts a vNIC into its bridge. */
  async connect({ host, bridge, outside }: Plug, externalIds = this.externalIds()): Promise<void> {
    const ids = Object.entries(externalIds).map(([key, value]) => `external_ids:${key}="${value}"`);
    const set = ids.length > 0 ? ['--', 'set', 'Interface', outside, ...ids] : [];
    await host.vsctl('add-port', bridge, outside, ...set);
  }

  /** Makes the veth pair and listens on its inner end. */
  async cable(inside: string, outsideNetns: string, outside: string): Promise<void> {
    const peer = ['type', 'veth', 'peer', 'name', outside, 'netns', outsideNetns];
    await ip('-n', this.netns, 'link', 'add', inside, 'address', this.mac, ...peer);
    await Promise.all([quiet(this.netns, inside), quiet(outsideNetns, outside)]);
    await ip('-n', this.netns, 'link', 'set', inside, 'up');
    await ip('-n', outsideNetns, 'link', 'set', outside, 'up');
    // The kernel notes a peer's carrier later, on a worker of its own; what is sent before is dropped unseen.
    await Promise.all([linkUp(this.netns, inside), linkUp(outsideNetns, outside)]);
    await this.agent.request('attach', { device: inside, active: false });
  }

  /** The guest goes on with this device, its RARPs first; a device it ran on before is still. */
  async runOn(inside: string, rarps: number): Promise<void> {
    await this.agent.request('switch', { device: inside, mac: this.mac, rarps });
    if (this.options.kernelIp) {
      await ip('-n', this.netns, 'addr', 'flush', 'scope', 'global');
      await ip('-n', this.netns, 'addr', 'add', `${this.ip}/24`, 'dev', inside);
    }
  }

  /**
   * The guest stands still, and the switch has read what it sent: a hypervisor empties a guest's queues when it stops
   * it. A frame that the switch reads after the guest has gone on elsewhere is dropped, as it must be.
   */
  async pauseOn(plug: Plug): Promise<void> {
    await this.agent.request('pause');
    await plug.host.drained(plug.outside);
  }

  /** Takes the device away, then the OVS port: the order of libvirt. */
  async unplug(plug: Plug): Promise<void> {
    this.plugs = this.plugs.filter((other) => other !== plug);
    await this.agent.request('detach', { device: plug.inside });
    await ip('-n', this.netns, 'link', 'del', plug.inside);
    await plug.host.vsctl('--if-exists', 'del-port', plug.bridge, plug.outside);
  }

  /**
   * Live migration as libvirt does it: plugged at the destination first, the guest stops at the source and goes on at
   * the destination with a RARP, then the source's vNIC goes. What arrives where the guest does not run is counted
   * as `ignored`.
   */
  async moveTo(hostName: string, options: MoveOptions = {}): Promise<Plug> {
    const old = this.plugs[0];
    const plug = await this.plugAt(hostName, options.bridge);
    await options.beforeSwitch?.();
    if (old) await this.pauseOn(old);
    await this.runOn(plug.inside, options.rarps ?? 1);
    await options.beforeUnplug?.();
    if (old) await this.unplug(old);
    return plug;
  }

  /** Sends numbered UDP frames; resolves when all are sent (or `stopSending` was called). */
  async send(options: SendOptions): Promise<SendReport> {
    const to = options.to === 'broadcast' ? BROADCAST : options.to;
    const stream = this.streamTo(to.mac);
    if (stream.busy) throw new Error(`${this.name} sends to ${to.mac} already`);
    stream.busy = true;
    const { to: _to, ...rest } = options;
    const addresses = { srcMac: this.mac, srcIp: this.ip, dstMac: to.mac, dstIp: to.ip };
    try {
      const reply = await this.agent.request('send', {
        ...addresses,
        ...rest,
        stream: stream.id,
        seq: stream.next,
      });
      stream.next = reply['next'] as number;
      return { sent: reply['sent'] as number, next: stream.next };
    } finally {
      stream.busy = false;
    }
  }

  /** Sends one frame as it stands, `count` times. */
  async sendRaw(frame: Uint8Array, count = 1, pps = 100): Promise<SendReport> {
    const reply = await this.agent.request('send', { raw: Buffer.from(frame).toString('hex'), count, pps });
    return { sent: reply['sent'] as number, next: 0 };
  }

  /** Ends all streams; the sends resolve with what was sent. */
  async stopSending(): Promise<void> {
    await this.agent.request('stop');
  }

  /** Everything counted here, as one consistent moment. */
  async received(): Promise<FrameStats> {
    return (await this.agent.request('stats')) as unknown as FrameStats;
  }

  /** What of another's stream to this guest (or of its broadcasts, or to a MAC) arrived. */
  async receivedFrom(sender: LabVm, to = 'me'): Promise<StreamReceived> {
    const stream = sender.streamTo(to === 'me' ? this.mac : to === 'broadcast' ? BROADCAST.mac : to);
    return this.receivedOf(stream.id);
  }

  /** What of a stream arrived, by its number. */
  async receivedOf(stream: number): Promise<StreamReceived> {
    return (await this.received()).streams[stream] ?? NOTHING;
  }

  /** When this guest sent a frame of its stream to another, in milliseconds since the epoch. */
  async sentAt(to: LabVm, number: number): Promise<number> {
    return (await this.agent.request('left', { stream: this.streamTo(to.mac).id, seq: number }))[
      'at'
    ] as number;
  }

  /** The time without any of a stream around `from` to `to`: ms, from the last that came before to the first after. */
  async silence(stream: number, times: { readonly from: number; readonly to: number }): Promise<number> {
    const { before, after } = await this.agent.request('around', { stream, ...times });
    if (typeof before !== 'number' || typeof after !== 'number') throw new Error('the stream does not go on');
    return after - before;
  }

  /** When those echo requests to a MAC left that were never answered, up to the last one that was: ms since the epoch. */
  async unanswered(mac: string): Promise<readonly number[]> {
    const { id: stream } = this.streamTo(mac);
    return (await this.agent.request('unanswered', { stream }))['at'] as number[];
  }

  /** Forgets what was received. */
  async resetReceived(): Promise<void> {
    await this.agent.request('reset');
  }

  /** A program inside the guest, to its end. */
  exec(program: string, ...args: string[]): Promise<string> {
    return run('ip', ['netns', 'exec', this.netns, program, ...args]);
  }

  async stop(): Promise<void> {
    await this.agent.stop();
  }

  private streamTo(mac: string): { readonly id: number; next: number; busy: boolean } {
    const known = this.streams.get(mac);
    if (known) return known;
    const made = { id: this.index * 1_000 + this.streams.size, next: 0, busy: false };
    this.streams.set(mac, made);
    return made;
  }

  private externalIds(): Record<string, string> {
    const { ifaceId, profile, mac, name, externalIds } = this.options;
    return {
      'attached-mac': mac,
      'vm-id': name,
      'iface-status': 'active',
      ...(ifaceId === undefined ? {} : { 'iface-id': ifaceId }),
      ...(profile === undefined ? {} : { 'port-profile': profile }),
      ...externalIds,
    };
  }
}

async function linkUp(netns: string, device: string): Promise<void> {
  await until(`${device} up`, async () =>
    (await ip('-n', netns, '-o', 'link', 'show', device)).includes('state UP') ? true : undefined,
  );
}
