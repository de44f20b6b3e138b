import { type RuleLogEntry } from '#contracts/http';
import { safe, type Style } from './style.js';
import { clockTime } from './units.js';

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMPv6',
  132: 'SCTP',
};

/** `12:00:00.000  alpha p1 in  drop no-telnet  TCP 10.0.0.1:4711 > 10.0.0.2:23` */
export function ruleLogLine(e: RuleLogEntry, style: Style, now: number): string {
  const verdict =
    e.verdict.startsWith('allow') || e.verdict === 'pass' ? style.good(e.verdict) : style.warn(e.verdict);
  const at = safe(`${e.host} ${e.port} ${e.direction}`);
  const vlan = e.vlan === 0 ? '' : style.dim(`  vlan ${e.vlan}`);
  return `${style.dim(clockTime(e.time, now))}  ${at}  ${verdict} ${style.bold(safe(e.rule))}  ${safe(what(e))}${vlan}\n`;
}

function what({ ip, srcMac, dstMac, etherType }: RuleLogEntry): string {
  if (ip === undefined) return `0x${etherType.toString(16).padStart(4, '0')} ${srcMac} > ${dstMac}`;
  const end = (address: string, port: number | undefined): string => {
    if (port === undefined) return address;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  };
  const protocol = PROTOCOLS[ip.protocol] ?? `protocol ${ip.protocol}`;
  return `${protocol} ${end(ip.src, ip.srcPort)} > ${end(ip.dst, ip.dstPort)}`;
}
