import { type HostName } from '#kernel';
import { noBandwidthFor } from '../bandwidth/refusals.js';
import { refusal, type Refusal } from '../decider/refusal.js';
import { type Port, type State, type Switch } from '../model/state.js';
import { byUplinks } from './uplinks.js';

/**
 * Why these ports may not go to this host; empty: they may. `forced`: somebody else moves them already, so what only
 * advises against it (maintenance, a link that is down, too small or lacks the VLAN, bandwidth that is promised already) does not count.
 */
export function admission(
  state: State,
  ports: readonly Port[],
  source: HostName,
  destination: HostName,
  forced: boolean,
): readonly Refusal[] {
  const host = state.hosts.get(destination);
  if (host === undefined) return [refusal('no-host', 'destination', destination, 'is not a known host')];
  const found: Refusal[] = [];
  if (destination === source) {
    found.push(refusal('same-host', 'destination', destination, 'is where it runs now', 'another host'));
  }
  if (host.dead !== undefined && !forced) {
    found.push(refusal('dead', 'destination', destination, `is dead: ${host.dead.reason}`));
  }
  if (host.maintenance && !forced) {
    found.push(refusal('maintenance', 'destination', destination, 'is in maintenance'));
  }
  for (const port of ports) found.push(...ofPort(state, port, destination, forced));
  if (!forced) found.push(...noBandwidthFor(state, ports, destination));
  return found;
}

function ofPort(state: State, port: Port, destination: HostName, forced: boolean): readonly Refusal[] {
  const at = `ports.${port.id}`;
  const running = state.moving.get(port.id);
  if (running !== undefined) {
    return [refusal('running', at, port.id, `is being moved by migration ${running}`, 'one at a time')];
  }
  const found: Refusal[] = [];
  if (state.groups.get(port.group)?.phase !== 'open') {
    found.push(refusal('group-closing', `${at}.group`, port.group, 'is closing and takes no more binds'));
  }
  const sw = state.switches.get(port.switch);
  if (sw === undefined) return [...found, refusal('no-switch', `${at}.switch`, port.switch, 'is not known')];
  const mapped = sw.members[destination];
  if (mapped === undefined) found.push(notMember(sw, at, destination));
  else if (sw.uplinks.length > 0 && !forced) found.push(...byUplinks(state, port, sw, destination));
  return found;
}

function notMember(sw: Switch, at: string, destination: HostName): Refusal {
  if (sw.kind === 'distributed') {
    return refusal('not-member', `${at}.switch`, sw.name, `does not have ${destination} as a member`);
  }
  const [only] = Object.entries(sw.members);
  const internal = Object.keys(only?.[1] ?? {}).length === 0 ? 'an internal-only' : 'a';
  const reason = `is ${internal} standard switch of ${only?.[0] ?? 'no host'} and reaches no other host`;
  return refusal('standard-switch', `${at}.switch`, sw.name, reason, 'a port on a distributed switch');
}
