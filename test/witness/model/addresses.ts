import { type Addresses } from '#domain';
import { ADVERTISEMENT, isWithin, PROTOCOL, SOLICITATION, type Arp, type Frame, type Ip } from './frame.js';

/** Who sends: MACs that are the port's, or null where its guest may use any. */
export interface Sender {
  readonly addresses: Addresses;
  readonly macs: ReadonlySet<string> | null;
}

/** Whether a guest may use the addresses with which it speaks. */
export function mayUse(sender: Sender, { tags, body }: Frame): boolean {
  // What is behind a second tag can't be seen.
  if (tags.length > 0) return false;
  switch (body.kind) {
    case 'plain':
      return true;
    case 'arp':
      return arp(sender, body);
    case 'ip':
      return body.version === 4 ? ipv4(sender, body) : ipv6(sender, body);
  }
}

const isAllowed = ({ addresses }: Sender, address: string): boolean =>
  addresses.allow.some((prefix) => isWithin(address, prefix));

const isOwn = ({ macs }: Sender, mac: string | undefined): boolean =>
  macs === null || mac === undefined || macs.has(mac);

/** A probe, which has no sender's address, asks for what it is going to use. */
function arp(sender: Sender, { sha, spa, tpa }: Arp): boolean {
  if (!sender.addresses.arp) return true;
  if (!isOwn(sender, sha)) return false;
  return isAllowed(sender, spa === '0.0.0.0' ? tpa : spa);
}

function ipv4(sender: Sender, ip: Ip): boolean {
  if (isAllowed(sender, ip.src)) return true;
  const asks =
    ip.protocol === PROTOCOL.udp && ip.fragment !== 'later' && ip.ports?.src === 68 && ip.ports.dst === 67;
  return sender.addresses.dhcp && ip.src === '0.0.0.0' && ip.dst === '255.255.255.255' && asks;
}

function ipv6(sender: Sender, ip: Ip): boolean {
  const { nd, icmp } = ip;
  const isNd = nd !== undefined && (icmp?.type === SOLICITATION || icmp?.type === ADVERTISEMENT);
  const asksFirst = isNd && icmp.type === SOLICITATION && ip.src === '::';
  if (!asksFirst && !isAllowed(sender, ip.src)) return false;
  if (!isNd || !sender.addresses.nd) return true;
  const claims = asksFirst || icmp.type === ADVERTISEMENT;
  return isOwn(sender, nd.mac) && (!claims || isAllowed(sender, nd.target));
}
