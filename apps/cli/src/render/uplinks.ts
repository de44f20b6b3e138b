import { type HostView } from '#contracts/http';
import { section } from './sections.js';
import { safe, type Style } from './style.js';

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
