import { type Ipfix, type Mirror, type SwitchFeatures } from '#domain';
import { safe } from './style.js';
import { bitRate } from './units.js';

/** What a switch does beside policies, a row each; what it does not do has none. */
export function featureRows(s: SwitchFeatures): [string, string][] {
  const rows: [string, string][] = [
    ['private', s.privateVlans.map((p) => `${p.primary}/${p.secondary} ${p.kind}`).join('\n')],
    ['lags', s.lags.map((l) => `${l.name} = ${l.uplinks.join(' + ')}, ${l.mode}, ${l.hash}`).join('\n')],
    ['mirrors', s.mirrors.map(mirror).join('\n')],
    ['ipfix', s.ipfix === null ? '' : ipfix(s.ipfix)],
    ['sflow', s.sflow === null ? '' : `to ${s.sflow.collector}, 1 in ${s.sflow.sampling}`],
    ['discovery', discovery(s.discovery)],
    ['multicast', s.multicast === 'basic' ? '' : s.multicast],
    ['health', s.healthCheck === null ? '' : `checked every ${s.healthCheck.intervalSeconds} s`],
    ['bandwidth', s.bandwidth === null ? '' : bandwidth(s.bandwidth)],
  ];
  return rows
    .filter(([, text]) => text !== '')
    .map(([name, text]) => [name, text.split('\n').map(safe).join('\n')]);
}

const ipfix = ({ collector, sampling, internalOnly }: Ipfix): string =>
  `to ${collector}, 1 in ${sampling}${internalOnly ? ', between ports of one host' : ''}`;

const discovery = ({ mode, intervalSeconds }: SwitchFeatures['discovery']): string =>
  mode === 'off' ? '' : `${mode}, every ${intervalSeconds} s`;

function mirror({ name, sources, vlans, to, snapLength }: Mirror): string {
  const from = sources.map((source) => {
    const what = 'port' in source ? source.port : 'group' in source ? source.group : source.uplink;
    return source.direction === 'both' ? what : `${what} ${source.direction}`;
  });
  const where =
    'port' in to ? to.port : 'erspan' in to ? to.erspan : `${to.uplinks.join(', ')} in VLAN ${to.vlan}`;
  const only = vlans === undefined ? '' : ` in VLAN ${vlans.join(', ')}`;
  const cut = snapLength === null ? '' : `, cut to ${snapLength} bytes`;
  return `${name}: ${from.join(', ')}${only} > ${where}${cut}`;
}

function bandwidth({ classes, reservable }: NonNullable<SwitchFeatures['bandwidth']>): string {
  const each = Object.entries(classes).map(([name, c]) => {
    const limit = c.limit === null ? '' : `, at most ${bitRate(c.limit)}`;
    const sure = c.reservation === 0 ? '' : `, ${bitRate(c.reservation)} reserved`;
    return `${name}: ${c.shares} shares${limit}${sure}`;
  });
  return [...each, `${reservable} % may be reserved`].join('\n');
}
