import { type HostView, type SwitchView } from '#contracts/http';
import { section } from './sections.js';
import { safe, type Style } from './style.js';
import { plural } from './units.js';

type Uplink = HostView['status']['uplinks'][number];

/** Who is at the other end of each cable, where there, and what else there is behind it. */
export function neighbours(uplinks: readonly Uplink[], style: Style): string {
  const lines = uplinks.flatMap(({ switch: name, uplink, device, neighbour: n }) => {
    if (n === null) return [];
    const described = n.portDescription === null ? '' : ` (${n.portDescription})`;
    const others = n.others === 0 ? '' : `, and ${n.others} more`;
    const who = `${n.systemName ?? n.chassis}, ${n.port}${described}${others}`;
    return [`  ${safe(`${name} ${uplink} = ${device}`)}: ${safe(who)}\n`];
  });
  return lines.length === 0 ? '' : section('Neighbours', lines.join(''), style);
}

/** What the health check found out: who could be asked, and each fault with what is to be done. */
export function health(uplinks: readonly Uplink[], style: Style): string {
  const lines = uplinks.flatMap(({ switch: name, uplink, device, health: h }) => {
    if (h === null) return [];
    const faults = h.faults.map(({ kind, reason }) => `    ${style.bad(kind)}: ${safe(reason)}\n`);
    return [`  ${safe(`${name} ${uplink} = ${device}`)}: ${verdict(h)}\n`, ...faults];
  });
  return lines.length === 0 ? '' : section('Health', lines.join(''), style);
}

function verdict({ hosts, answered, unheard, faults }: NonNullable<Uplink['health']>): string {
  if (answered + unheard === 0) return 'no VLAN in use';
  const seen = `${plural(hosts, 'other host')} heard, ${answered} of ${plural(answered + unheard, 'VLAN')} answered`;
  return faults.length === 0 ? seen : `${seen}, ${plural(faults.length, 'fault')}`;
}

/** The same of all hosts of a switch: faults only. */
export function switchFaults(faults: SwitchView['status']['health'], style: Style): string {
  const lines = faults.map(
    ({ host, uplink, kind, reason }) =>
      `  ${safe(`${host} ${uplink}`)}, ${style.bad(kind)}: ${safe(reason)}\n`,
  );
  return lines.length === 0 ? '' : section('Health', lines.join(''), style);
}
