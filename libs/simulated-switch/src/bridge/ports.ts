import { type ObservedInterface, type OfPort, type PortSettings, type PortStats } from '#openflow';

/** An interface of the simulated host, as the switch's database would hold it. */
export interface SimInterface {
  readonly bridge: string;
  readonly name: string;
  /** The bond that it is a member of. */
  readonly port?: string | undefined;
  readonly type: string;
  readonly ofport: number | undefined;
  linkUp: boolean;
  externalIds: Readonly<Record<string, string>>;
  marks: Readonly<Record<string, string>>;
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
  readonly error: string | undefined;
  settings?: PortSettings | undefined;
}

const MAX_NUMBER = 0xfe00;

interface Counts {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
  readonly since: number;
}

/** Numbers of one bridge's interfaces. A number is given again as late as can be. */
export class BridgePorts {
  private readonly byNumber = new Map<number, SimInterface>();
  private readonly counts = new Map<SimInterface, Counts>();
  private next = 1;

  constructor(private readonly now: () => number) {}

  allot(): number {
    while (this.byNumber.has(this.next)) this.step();
    const number = this.next;
    this.step();
    return number;
  }

  add(iface: SimInterface): void {
    if (iface.ofport === undefined) return;
    this.byNumber.set(iface.ofport, iface);
    this.counts.set(iface, { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, since: this.now() });
  }

  remove(iface: SimInterface): void {
    if (iface.ofport !== undefined) this.byNumber.delete(iface.ofport);
    this.counts.delete(iface);
  }

  /** The name of the interface behind a number while its link is up. */
  liveName(port: number): string | undefined {
    const iface = this.byNumber.get(port);
    return iface?.linkUp === true ? iface.name : undefined;
  }

  /** A frame came in by a port. */
  received(port: number, bytes: number): void {
    const counts = this.countsOf(port);
    if (counts === undefined) return;
    counts.rxPackets += 1;
    counts.rxBytes += bytes;
  }

  sent(port: number, bytes: number): void {
    const counts = this.countsOf(port);
    if (counts === undefined) return;
    counts.txPackets += 1;
    counts.txBytes += bytes;
  }

  /** As the devices count: gone with the port. A simulated device loses nothing. */
  stats(): PortStats[] {
    const now = this.now();
    return [...this.byNumber].flatMap(([number, iface]) => {
      const c = this.counts.get(iface);
      if (c === undefined) return [];
      return {
        number,
        rxPackets: BigInt(c.rxPackets),
        txPackets: BigInt(c.txPackets),
        rxBytes: BigInt(c.rxBytes),
        txBytes: BigInt(c.txBytes),
        rxDropped: 0n,
        txDropped: 0n,
        rxErrors: 0n,
        txErrors: 0n,
        durationMs: Math.floor(now - c.since),
      };
    });
  }

  private countsOf(port: number): Counts | undefined {
    const iface = this.byNumber.get(port);
    return iface && this.counts.get(iface);
  }

  private step(): void {
    this.next = this.next >= MAX_NUMBER ? 1 : this.next + 1;
  }

  describe(): OfPort[] {
    return [...this.byNumber].map(([number, { name, linkUp }]) => ({ number, name, linkUp, adminUp: true }));
  }
}

export function observeInterface(iface: SimInterface): ObservedInterface {
  const { bridge, name, port, type, ofport, linkUp, externalIds, marks, mac, mtu, error, settings } = iface;
  return {
    bridge,
    name,
    type,
    linkUp,
    externalIds,
    marks,
    // The other end of a simulated link is always willing.
    ...(port === undefined ? {} : { port, lacpCurrent: linkUp }),
    ...(ofport === undefined ? {} : { ofport }),
    ...(mac === undefined ? {} : { mac }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(error === undefined ? {} : { error }),
    ...(settings === undefined ? {} : { settings }),
  };
}
