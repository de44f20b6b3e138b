import { type Addresses } from '#domain';
import { mac } from '../documents.fixture.js';
import { advertise, arp, discover, ipv4, solicit, udp6 } from './addresses.fixture.js';
import { BROADCAST_MAC, frame, rarp } from './frames.fixture.js';

export const ALLOWED: Addresses = {
  allow: ['10.0.0.1', '10.1.0.0/16', '10.1.2.0/24', 'fe80::1', '2001:db8::/64'],
  arp: true,
  nd: true,
  dhcp: true,
};

const own = mac(1);
const other = mac(7);
const LL = 'fe80::1';

/** Frames of port 1, and whether they pass: written from what the policy says. */
export const CASES: readonly (readonly [string, Uint8Array, boolean])[] = [
  ['its own IPv4 address', ipv4(own, '10.0.0.1'), true],
  ['an address of its prefix', ipv4(own, '10.1.2.3'), true],
  ['a foreign IPv4 address', ipv4(own, '10.0.0.2'), false],
  ['no address yet, to ask for one', discover(own), true],
  ['no address, for anything else', ipv4(own, '0.0.0.0', '10.0.0.9'), false],
  ['an ARP request', arp({ from: own, spa: '10.0.0.1', tpa: '10.0.0.9' }), true],
  ['a gratuitous ARP', arp({ from: own, spa: '10.0.0.1', tpa: '10.0.0.1', reply: true }), true],
  ['an ARP probe of its own', arp({ from: own, spa: '0.0.0.0', tpa: '10.1.0.9' }), true],
  ['an ARP probe of a foreign one', arp({ from: own, spa: '0.0.0.0', tpa: '10.0.0.9' }), false],
  ['an ARP that claims a foreign address', arp({ from: own, spa: '10.0.0.9', tpa: '10.0.0.9' }), false],
  [
    'an ARP that claims a foreign MAC',
    arp({ from: own, sha: other, spa: '10.0.0.1', tpa: '10.0.0.9' }),
    false,
  ],
  ['a RARP', rarp(own), true],
  ['another protocol', frame({ to: BROADCAST_MAC, from: own }), true],
  ['its own IPv6 address', udp6(own, '2001:db8::5'), true],
  ['a foreign IPv6 address', udp6(own, '2001:db9::5'), false],
  ['no IPv6 address', udp6(own, '::'), false],
  ['a solicitation', solicit({ from: own, src: LL, target: 'fe80::9', options: [own] }), true],
  ['one that says nothing of MACs', solicit({ from: own, src: LL, target: 'fe80::9' }), true],
  [
    'one that claims a foreign MAC',
    solicit({ from: own, src: LL, target: 'fe80::9', options: [other] }),
    false,
  ],
  ['one with two MACs', solicit({ from: own, src: LL, target: 'fe80::9', options: [own, other] }), false],
  ['whether its own address is free', solicit({ from: own, src: '::', target: '2001:db8::5' }), true],
  ['whether a foreign one is free', solicit({ from: own, src: '::', target: 'fe80::9' }), false],
  ['an advertisement', advertise({ from: own, src: LL, target: '2001:db8::5', options: [own] }), true],
  ['one of a foreign address', advertise({ from: own, src: LL, target: 'fe80::9', options: [own] }), false],
  ['one of a foreign MAC', advertise({ from: own, src: LL, target: LL, options: [other] }), false],
  ['one from a foreign address', advertise({ from: own, src: 'fe80::9', target: LL, options: [own] }), false],
];
