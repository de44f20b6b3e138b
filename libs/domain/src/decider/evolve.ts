import { assertNever, type Revision } from '#kernel';
import * as evacuation from '../evacuation/evolve.js';
import * as group from '../group/evolve.js';
import * as host from '../host/evolve.js';
import * as ledger from '../ledger/evolve.js';
import * as migration from '../migration/evolve.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type State } from '../model/state.js';
import * as claim from '../port/claim.js';
import * as port from '../port/evolve.js';
import * as set from '../set/evolve.js';
import { copyOf, type Next } from '../state/next.js';
import * as sw from '../switch/evolve.js';

/**
 * The state after one event. Pure: the argument is never changed, what did not change is shared. Throws a
 * ProblemError when the event names what its past does not contain: such a log can't be read, and must not be skipped.
 */
export function evolve(state: State, event: DomainEvent, meta: EventMeta): State {
  const next = copyOf(state);
  // Revisions begin anew in a new lineage: what hosts realised of the old one says nothing there.
  if (state.lineage !== meta.lineage) {
    next.realised = 0 as Revision;
    group.beginAnew(next, meta.revision);
  }
  next.lineage = meta.lineage;
  next.revision = meta.revision;
  next.time = meta.time;
  apply(next, event, meta);
  return next;
}

function apply(next: Next, event: DomainEvent, meta: EventMeta): void {
  switch (event.type) {
    case 'HostDefined':
      return host.hostDefined(next, event, meta);
    case 'HostRemoved':
      return host.hostRemoved(next, event);
    case 'HostDied':
      return host.hostDied(next, event, meta);
    case 'HostReturned':
      return host.hostReturned(next, event);
    case 'FactsAccepted':
      return host.factsAccepted(next, event);
    case 'UplinkVlansMissed':
      return host.uplinkVlansMissed(next, event);
    case 'UplinkChanged':
      return host.uplinkChanged(next, event);
    case 'SwitchDefined':
      return sw.switchDefined(next, event, meta);
    case 'SwitchRemoved':
      return sw.switchRemoved(next, event);
    case 'GroupDefined':
      return group.groupDefined(next, event, meta);
    case 'GroupClosing':
      return group.groupClosing(next, event, meta);
    case 'GroupDeleted':
      return group.groupDeleted(next, event);
    case 'AddressSetDefined':
      return set.addressSetDefined(next, event, meta);
    case 'PortSetDefined':
      return set.portSetDefined(next, event, meta);
    case 'SetRemoved':
      return set.setRemoved(next, event);
    case 'PortCreated':
      return port.portCreated(next, event, meta);
    case 'PortMoved':
      return port.portMoved(next, event, meta);
    case 'PortOverridden':
      return port.portOverridden(next, event, meta);
    case 'PortDeleted':
      return port.portDeleted(next, event, meta);
    case 'PortConnected':
      return port.portConnected(next, event, meta);
    case 'PortDisconnected':
      return port.portDisconnected(next, event, meta);
    case 'PortBound':
      return port.portBound(next, event);
    case 'PortUnbound':
      return port.portUnbound(next, event);
    case 'PortClaimed':
      return claim.portClaimed(next, event, meta);
    case 'PortReleased':
      return claim.portReleased(next, event);
    case 'PortTakenOver':
      return claim.portTakenOver(next, event, meta);
    case 'StandbyGranted':
      return port.standbyGranted(next, event);
    case 'StandbyRevoked':
      return port.standbyRevoked(next, event);
    case 'PortActivated':
      return port.portActivated(next, event);
    case 'BindingRetired':
      return port.bindingRetired(next, event);
    case 'SegmentOpened':
      return ledger.segmentOpened(next, event, meta);
    case 'SegmentClosed':
      ledger.segmentClosed(next, event, meta);
      return migration.turned(next, event);
    case 'CountersReset':
      return ledger.countersReset(next, event, meta);
    case 'MigrationStarted':
      migration.migrationStarted(next, event, meta);
      return evacuation.tried(next, event);
    case 'MigrationAdvanced':
      migration.migrationAdvanced(next, event, meta);
      return evacuation.tryEnded(next, event);
    case 'FirstFrameNoted':
      return migration.firstFrameNoted(next, event);
    case 'StandbyReady':
      return migration.standbyReady(next, event);
    case 'HypervisorReported':
      return migration.hypervisorReported(next, event);
    case 'EvacuationStarted':
      return evacuation.evacuationStarted(next, event, meta);
    case 'EvacuationRefused':
      return evacuation.evacuationRefused(next, event);
    case 'EvacuationAdvanced':
      return evacuation.evacuationAdvanced(next, event, meta);
    case 'RevisionRealised':
      next.realised = event.upTo;
      return;
    case 'NumbersRaised':
      next.nextPort = Math.max(next.nextPort, event.to);
      next.nextMigration = Math.max(next.nextMigration, event.to);
      next.epochsFrom = Math.max(next.epochsFrom, event.to);
      return;
    case 'SchemaLevelRaised':
      next.schemaLevel = event.level;
      return;
    // Recorded for people; the state does not depend on them.
    case 'FactRefused':
    case 'DriftObserved':
    case 'FlappingObserved':
      return;
    default:
      assertNever(event);
  }
}
