import { assertNever } from '#kernel';
import { packetsOf } from '../ledger/counters.js';
import { type DomainEvent } from '../model/events.js';
import { type PolicyPatch } from '../policy/policy.js';

const ableTo = (abilities: readonly string[] | undefined): string =>
  abilities === undefined
    ? ''
    : `; its agent is able to: ${abilities.join(', ') || 'nothing that needs saying'}`;

const because = (reason: string | undefined | null): string =>
  reason === undefined || reason === null || reason === '' ? '' : ` (${reason})`;

const paused = (ms: number | undefined): string =>
  ms === undefined ? '' : `, the guest stood still for ${ms} ms`;

const brought = (revision: number | undefined): string =>
  revision === undefined ? '' : `, and the guest brought along that its source had revision ${revision}`;

const fields = (policy: PolicyPatch): string => {
  const names = Object.keys(policy);
  return names.length === 0 ? 'nothing of its own' : names.join(', ');
};

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** One plain sentence for people. */
export function describeEvent(e: DomainEvent): string {
  switch (e.type) {
    case 'HostDefined':
      return `host ${e.name} defined${e.spec.maintenance ? ', in maintenance' : ''}`;
    case 'HostRemoved':
      return `host ${e.name} removed`;
    case 'HostDied':
      return `host ${e.host} is dead, says ${e.by}: ${e.reason}`;
    case 'HostReturned':
      return `host ${e.host} tells of itself again`;
    case 'SwitchDefined':
      return `${e.kind} switch ${e.name} defined: ${plural(Object.keys(e.spec.members).length, 'host')}, MTU ${e.spec.mtu}`;
    case 'SwitchRemoved':
      return `switch ${e.name} removed`;
    case 'GroupDefined':
      return `port group ${e.name} on ${e.spec.switch} defined: ${e.spec.binding}, policy says ${fields(e.spec.policy)}`;
    case 'GroupClosing':
      return `port group ${e.name} is closing: it takes no more connections`;
    case 'GroupDeleted':
      return `port group ${e.name} deleted`;
    case 'AddressSetDefined':
      return `address set ${e.name} defined: ${plural(e.spec.addresses.length, 'member')}`;
    case 'PortSetDefined': {
      const { groups, ports, owners } = e.spec;
      const members = [plural(groups.length, 'group'), plural(ports.length, 'port')];
      return `port set ${e.name} defined: ${[...members, plural(owners.length, 'owner')].join(', ')}`;
    }
    case 'SetRemoved':
      return `set ${e.name} removed`;
    case 'PortCreated':
      return `port ${e.port} created in ${e.group}`;
    case 'PortMoved':
      return `port ${e.port} moved to ${e.group}`;
    case 'CountersReset':
      return `counters of port ${e.port} are shown from now on, by ${e.by}: ${e.reason}`;
    case 'PortOverridden':
      return `port ${e.port} overrides ${fields(e.override)}`;
    case 'PortDeleted':
      return `port ${e.port} deleted`;
    case 'PortConnected':
      return `port ${e.port} connected to ${e.connectee.kind} ${e.connectee.owner} (${e.connectee.ifaceId}, ${e.connectee.mac})`;
    case 'PortDisconnected':
      return `port ${e.port} disconnected`;
    case 'PortBound':
      return `port ${e.port} bound to ${e.host} at epoch ${e.epoch}${e.inMaintenance === true ? ', which is in maintenance' : ''}`;
    case 'PortUnbound':
      return `port ${e.port} unbound from ${e.host} (epoch ${e.epoch})`;
    case 'PortClaimed':
      return `port ${e.port} is waited for by ${e.host}: ${e.reason}`;
    case 'PortReleased':
      return `port ${e.port} is plugged in on ${e.host} no more`;
    case 'PortTakenOver':
      return `port ${e.port} taken from ${e.host} (epoch ${e.epoch}): ${e.reason}`;
    case 'StandbyGranted':
      return `port ${e.port} made ready on ${e.standby.host} at epoch ${e.standby.epoch} for migration ${e.standby.migration}`;
    case 'StandbyRevoked':
      return `port ${e.port} no longer awaited on ${e.host} (epoch ${e.epoch})`;
    case 'FirstFrameNoted':
      return `${e.host} had noticed the first frame of port ${e.port} (epoch ${e.epoch}) by itself${brought(e.carried)}`;
    case 'StandbyReady':
      if (e.plugged === false)
        return `port ${e.port} left ${e.host}, where it was awaited (epoch ${e.epoch})`;
      if (e.plugged === true && !e.ready)
        return `port ${e.port} is back on ${e.host}, where it is awaited (epoch ${e.epoch})`;
      return e.ready
        ? `port ${e.port} can be switched to ${e.host} (epoch ${e.epoch})`
        : `port ${e.port} can’t be switched to ${e.host} any more (epoch ${e.epoch})`;
    case 'PortActivated':
      return `port ${e.port} active on ${e.host} at epoch ${e.epoch}${brought(e.carried)}`;
    case 'SegmentOpened':
      return `port ${e.port} counts on ${e.host} at epoch ${e.epoch}, from ${packetsOf(e.raw.in)} packets in and ${packetsOf(e.raw.out)} out`;
    case 'SegmentClosed':
      return `port ${e.port} stopped counting on ${e.host} at epoch ${e.epoch}, with ${packetsOf(e.raw.in)} packets in and ${packetsOf(e.raw.out)} out${e.inexact === undefined ? '' : `, inexact: ${e.inexact.reason}`}`;
    case 'BindingRetired':
      return `port ${e.port} let go by ${e.host} (epoch ${e.epoch})`;
    case 'MigrationStarted': {
      const { id, owner, source, destination, origin, ports } = e.migration;
      const how = origin === 'observed' ? ', seen from the outside' : '';
      return `migration ${id} of ${owner} from ${source} to ${destination} admitted with ${plural(ports.length, 'port')}${how}`;
    }
    case 'MigrationAdvanced':
      return `migration ${e.migration} went from ${e.from} to ${e.to}${because(e.reason)}`;
    case 'HypervisorReported':
      return `hypervisor on ${e.host} says of migration ${e.migration}: ${e.outcome}${paused(e.pauseMs)}${because(e.reason)}`;
    case 'EvacuationStarted': {
      const { id, host, to, reason } = e.evacuation;
      return `evacuation ${id} of ${host}${to.length === 0 ? '' : ` to ${to.join(', ')}`} began${because(reason)}`;
    }
    case 'EvacuationRefused':
      return `evacuation ${e.evacuation} can't move ${e.owner}: ${e.refusals.map(({ field, reason }) => `${field} ${reason}`).join('; ')}`;
    case 'EvacuationAdvanced':
      return `evacuation ${e.evacuation} is ${e.to}${because(e.reason)}`;
    case 'FactsAccepted':
      return `facts of ${e.host} taken in up to ${e.seq}${ableTo(e.abilities)}`;
    case 'FactRefused':
      return `fact ${e.fact} (${e.seq}) of ${e.host} refused as ${e.code}: ${e.reason}`;
    case 'DriftObserved':
      return `drift on ${e.host} in ${e.object}: ${plural(differencesIn(e), 'difference')}, ${e.repaired ? 'repaired' : 'not repaired'}`;
    case 'FlappingObserved':
      return `${e.object} on ${e.host} changed ${plural(e.count, 'time')} in ${Math.round((e.to - e.from) / 1000)} s`;
    case 'UplinkChanged':
      return `uplink ${e.uplink} of ${e.switch} on ${e.host} is ${e.up ? 'up' : 'down'}${e.mtu === undefined ? '' : `, its MTU ${e.mtu}`}`;
    case 'UplinkVlansMissed':
      return e.missing.length === 0
        ? `uplink ${e.uplink} of ${e.switch} on ${e.host} carries every VLAN again that is used`
        : `uplink ${e.uplink} of ${e.switch} on ${e.host} does not carry VLAN ${e.missing.join(', ')}`;
    case 'RevisionRealised':
      return `everything up to revision ${e.upTo} realised on ${plural(e.hosts, 'host')}`;
    case 'NumbersRaised':
      return `ports, epochs and migrations are numbered from ${e.to} on: what was lost may have used the numbers before`;
    case 'SchemaLevelRaised':
      return `schema level raised to ${e.level}`;
    default:
      return assertNever(e);
  }
}

/** A storm names the first of them, and how many there were besides; how often it was seen is none. */
function differencesIn({ differences }: Extract<DomainEvent, { type: 'DriftObserved' }>): number {
  const further = differences.find((d) => d.field === 'further differences');
  const named = differences.filter((d) => d !== further && d.field !== 'times').length;
  return named + (Number(further?.found) || 0);
}
