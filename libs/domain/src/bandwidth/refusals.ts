import { type HostName, type PortId } from '#kernel';
import { refusal, type Refusal } from '../decider/refusal.js';
import { type Port, type State } from '../model/state.js';
import { overPromised, reservationOf, type Reserving } from './reservations.js';

/** A port that is not yet any: no other has its id. */
const NEW = 'new' as PortId;

/** Why a port can't be bound to a host, for what it is to be sure of there; null: it can, or is sure of nothing. */
export function noBandwidth(
  state: State,
  port: Pick<Reserving, 'group' | 'override'> & { readonly id?: PortId },
  host: HostName,
): Refusal | null {
  const sw = state.switches.get(state.groups.get(port.group)?.switch ?? ('' as never));
  const reserved = reservationOf(state, port);
  if (sw === undefined || reserved === 0) return null;
  const over = overPromised(state, sw, host, [{ ...port, id: port.id ?? NEW }]);
  if (over === null) return null;
  return refusal(
    'no-bandwidth',
    'bandwidth.reservation',
    reserved,
    `host ${host} ${over.reason}`,
    over.expected,
  );
}

/** The same of ports that go to a host together; one refusal a switch. */
export function noBandwidthFor(state: State, ports: readonly Port[], host: HostName): readonly Refusal[] {
  const coming = ports.filter((port) => reservationOf(state, port) > 0);
  return [...new Set(coming.map((port) => port.switch))].flatMap((name) => {
    const sw = state.switches.get(name);
    const own = coming.filter((port) => port.switch === name);
    const over = sw && overPromised(state, sw, host, own);
    if (over === undefined || over === null) return [];
    const reserved = own.reduce((sum, port) => sum + reservationOf(state, port), 0);
    const field = `ports.${own[0]?.id}.bandwidth.reservation`;
    return [refusal('no-bandwidth', field, reserved, `host ${host} ${over.reason}`, over.expected)];
  });
}
