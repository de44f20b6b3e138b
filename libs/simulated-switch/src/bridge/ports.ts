import { type ObservedInterface, type OfPort } from '#openflow';

/** An interface of the simulated host, as the switch's database would hold it. */
export interface SimInterface {
  readonly bridge: string;
  readonly name: string;
  readonly type: string;
  readonly ofport: number | undefined;
  linkUp: boolean;
  externalIds: Readonly<Record<string, string>>;
  marks: Readonly<Record<string, string>>;
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
  readonly error: string | undefined;
}

const MAX_NUMBER = 0xfe00;

/** Numbers of one bridge's interfaces. A number is given again as late as can be. */
export class BridgePorts {
  private readonly byNumber = new Map<number, SimInterface>();
  private next = 1;

  allot(): number {
    while (this.byNumber.has(this.next)) this.step();
    const number = this.next;
    this.step();
    return number;
  }

  add(iface: SimInterface): void {
    if (iface.ofport !== undefined) this.byNumber.set(iface.ofport, iface);
  }

  remove(iface: SimInterface): void {
    if (iface.ofport !== undefined) this.byNumber.delete(iface.ofport);
  }

  /** The name of the interface behind a number while its link is up. */
  liveName(port: number): string | undefined {
    const iface = this.byNumber.get(port);
    return iface?.linkUp === true ? iface.name : undefined;
  }

  private step(): void {
    this.next = this.next >= MAX_NUMBER ? 1 : this.next + 1;
  }

  describe(): OfPort[] {
    return [...this.byNumber].map(([number, { name, linkUp }]) => ({ number, name, linkUp, adminUp: true }));
  }
}

export function observeInterface(iface: SimInterface): ObservedInterface {
  const { bridge, name, type, ofport, linkUp, externalIds, marks, mac, mtu, error } = iface;
  return {
    bridge,
    name,
    type,
    linkUp,
    externalIds,
    marks,
    ...(ofport === undefined ? {} : { ofport }),
    ...(mac === undefined ? {} : { mac }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(error === undefined ? {} : { error }),
  };
}
