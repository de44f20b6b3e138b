import { type Addresses } from '#domain';
import { type Action, type FieldName } from '#openflow';
import { goto, match, type Wanted } from '../../pipeline/actions.js';
import { type Feature } from '../../pipeline/feature.js';
import { REG, TAG_PRESENT } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { acceptsOthers, sourceMacs } from '../../resolve/macs.js';
import { type PortPlan } from '../../resolve/plan.js';
import { prefixesOf } from './prefixes.js';

const ETHER = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd, service: 0x88a8 } as const;
const BROADCAST_IP = 0xffff_ffff;
const IPV6 = { eth_type: ETHER.ipv6 };
const IPV4 = { eth_type: ETHER.ipv4 };
const ARP = { eth_type: ETHER.arp };
const ICMPV6 = { ...IPV6, ip_proto: 58 };
const SOLICIT = { ...ICMPV6, icmpv6_type: 135 };
const ADVERTISE = { ...ICMPV6, icmpv6_type: 136 };
/** Only code 0 is neighbour discovery; receivers ignore others, and so does the switch when it looks for the fields. */
const CODE = { icmpv6_code: 0 };

type Fields = Partial<Record<FieldName, Wanted>>;
/** Writes a flow of the port that the pen is for. */
type Pen = (priority: number, fields: Fields, actions: readonly Action[]) => void;

/**
 * Addresses that a port may use as its own, in three steps, so that MACs, prefixes and targets add up instead of
 * multiplying: SPOOF holds what ARP and neighbour discovery say of MACs to the port's own, SPOOF_SOURCE each source
 * address (ARP's sender too), SPOOF_TARGET what neighbour discovery claims. Other kinds of frames pass, RARP with them.
 * Gratuitous ARP is ARP: it passes for the port's own MAC and an allowed address. Ports without the policy never come here.
 */
export const spoofing: Feature = {
  name: 'spoofing',
  port: (port, out) => {
    const { addresses } = port.policy;
    if (addresses === null) return;
    const pen =
      (table: number): Pen =>
      (priority, fields, actions) =>
        out.flow(table, priority, match({ [REG.from]: port.slot, ...fields }), actions, port.slot);
    claims(addresses, port, pen(TABLES.SPOOF));
    sources(addresses, pen(TABLES.SPOOF_SOURCE));
    if (addresses.nd) targets(addresses, pen(TABLES.SPOOF_TARGET));
  },
};

function claims({ arp, nd }: Addresses, port: PortPlan, flow: Pen): void {
  const next = [goto(TABLES.SPOOF_SOURCE)];
  // Behind a second tag addresses can't be seen.
  flow(310, { vlan_vid: { value: TAG_PRESENT, mask: TAG_PRESENT } }, []);
  flow(300, { eth_type: ETHER.vlan }, []);
  flow(300, { eth_type: ETHER.service }, []);
  flow(10, {}, next);
  // The switch reads none of the fields where an option is malformed, or there twice; others may read one.
  if (nd) for (const kind of [SOLICIT, ADVERTISE]) flow(200, { ...kind, ...CODE, nd_target: 0 }, []);
  // Then it may also speak of them.
  if (acceptsOthers(port.policy)) return;
  const own = sourceMacs(port);
  if (arp) {
    for (const mac of own) flow(100, { ...ARP, arp_sha: mac }, next);
    flow(50, ARP, []);
  }
  if (!nd) return;
  for (const mac of [0n, ...own]) {
    flow(100, { ...SOLICIT, ...CODE, nd_sll: mac }, next);
    flow(100, { ...ADVERTISE, ...CODE, nd_tll: mac }, next);
  }
  flow(50, SOLICIT, []);
  flow(50, ADVERTISE, []);
}

function sources({ allow, arp, nd, dhcp }: Addresses, flow: Pen): void {
  const pass = [goto(TABLES.GATE_IN)];
  const v6 = [goto(nd ? TABLES.SPOOF_TARGET : TABLES.GATE_IN)];
  for (const prefix of prefixesOf(allow, 4)) {
    flow(100, { ...IPV4, ...at('ipv4_src', prefix) }, pass);
    if (!arp) continue;
    flow(100, { ...ARP, ...at('arp_spa', prefix) }, pass);
    // Asks whether an address is free before it is used.
    flow(110, { ...ARP, arp_spa: 0, ...at('arp_tpa', prefix) }, pass);
  }
  for (const prefix of prefixesOf(allow, 6)) flow(100, { ...IPV6, ...at('ipv6_src', prefix) }, v6);
  // The same for IPv6: the source is not there yet.
  flow(110, { ...SOLICIT, ...CODE, ipv6_src: 0 }, v6);
  if (dhcp) {
    const ports = { ip_proto: 17, udp_src: 68, udp_dst: 67 };
    flow(110, { ...IPV4, ...ports, ipv4_src: 0, ipv4_dst: BROADCAST_IP }, pass);
  }
  for (const kind of [IPV4, IPV6, ...(arp ? [ARP] : [])]) flow(50, kind, []);
  flow(10, {}, pass);
}

function targets({ allow }: Addresses, flow: Pen): void {
  const pass = [goto(TABLES.GATE_IN)];
  for (const prefix of prefixesOf(allow, 6)) {
    flow(100, { ...ADVERTISE, ...CODE, ...at('nd_target', prefix) }, pass);
    flow(100, { ...SOLICIT, ...CODE, ipv6_src: 0, ...at('nd_target', prefix) }, pass);
  }
  flow(50, ADVERTISE, []);
  flow(50, { ...SOLICIT, ipv6_src: 0 }, []);
  flow(10, {}, pass);
}

const at = (field: FieldName, value: Wanted | undefined): Fields =>
  value === undefined ? {} : { [field]: value };
