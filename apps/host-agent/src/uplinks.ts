import { macToBigint, parseMac } from '#kernel';
import { type SwitchDocument } from '#contracts';
import { bridgeName, type Desired } from '#compiler';
import { type ObservedInterface } from '#openflow';

/** An uplink of this host whose device the switch has opened. */
export interface LiveUplink {
  /** Names it on this host. */
  readonly place: string;
  readonly switch: string;
  readonly uplink: string;
  readonly bridge: string;
  /** As flows name it: its place in the switch's list, from 1. */
  readonly key: number;
  readonly ofport: number;
  readonly iface: ObservedInterface;
  readonly document: SwitchDocument;
}

/** All of a host's, by what the documents say and what is plugged. */
export function uplinksOf(
  { host, switches }: Desired,
  interfaces: readonly ObservedInterface[],
): readonly LiveUplink[] {
  const documents = new Map<string, SwitchDocument>(switches.map((s) => [s.switch, s]));
  return host.switches.flatMap(({ switch: name, uplinks }) => {
    const document = documents.get(name);
    if (document === undefined) return [];
    const bridge = bridgeName(name);
    return document.uplinks.flatMap((uplink, index) => {
      const iface = interfaces.find((i) => i.bridge === bridge && i.name === uplinks[uplink]);
      if (iface?.ofport === undefined || iface.ofport < 1) return [];
      const { ofport } = iface;
      const place = `${name}/${uplink}`;
      return [{ place, switch: name, uplink, bridge, key: index + 1, ofport, iface, document }];
    });
  });
}

/** Of a device; one that tells none sends from an address that nobody has. */
export function macOf(mac: string | undefined): bigint {
  const parsed = parseMac(mac ?? '', 'mac');
  return parsed.ok ? macToBigint(parsed.value) : 0x0200_0000_0000n;
}
