import { type HostName, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refuse } from '../decider/refusal.js';
import { type Port } from '../model/state.js';
import { livePort } from '../port/bind.js';
import { isComplete } from './complete.js';
import { arrive, go, happen, hasLeftDestination, leftDestination, migrationOn } from './effects.js';

/** The interface left `host`, whose active binding was taken away before this. */
export function sourceGone(draft: Draft, port: PortId, host: HostName): void {
  const migration = migrationOn(draft, port);
  if (migration === undefined || migration.source !== host) return;
  // A port that is active at the destination has nothing left at the source that could matter.
  if (livePort(draft, port).standby?.migration !== migration.id) return;
  happen(draft, migration.id, 'source-gone', { port, reason: `its interface left the source ${host}` });
  nowhere(draft, port);
  arrive(draft, migration.id);
}

/**
 * The standby's interface is not at the destination. `surely`: it was seen to go, or nothing of the guest is there;
 * otherwise it may only not have come yet.
 */
export function destinationGone(draft: Draft, port: PortId, surely: boolean): void {
  const migration = migrationOn(draft, port);
  if (!surely || migration === undefined) return;
  // While another vNIC of the guest carries traffic there, the guest is.
  const { destination } = migration;
  if (migration.ports.some((p) => p.activated && livePort(draft, p.port).active?.host === destination))
    return;
  happen(draft, migration.id, 'destination-gone', { port, reason: leftDestination(migration) });
  notePlugged(draft, port, false);
  nowhere(draft, port);
}

/** That its interface left the destination, or is back: by itself that ends nothing which we drive, and later it may. */
export function notePlugged(draft: Draft, port: PortId, plugged: boolean): void {
  const migration = migrationOn(draft, port);
  const { standby } = livePort(draft, port);
  const known = migration?.ports.find((p) => p.port === port);
  if (known === undefined || standby === null || (known.plugged ?? true) === plugged) return;
  const { host, epoch } = standby;
  draft.emit({ type: 'StandbyReady', port, host, epoch, ready: known.ready ?? false, plugged });
}

/** The guest left the source, and the destination where it was awaited: there is nothing left to wait for. */
function nowhere(draft: Draft, port: PortId): void {
  const migration = migrationOn(draft, port);
  if (migration === undefined || !hasLeftDestination(migration)) return;
  if (migration.ports.some((p) => livePort(draft, p.port).active !== null)) return;
  const reason = `its interface left the source ${migration.source} and the destination ${migration.destination}`;
  happen(draft, migration.id, 'nowhere', { reason });
}

/**
 * A port that had switched left the destination, and none of the guest's is active there any more: the guest went, and
 * what was still to switch won't. The word of its other interfaces may have come before.
 */
export function activatedGone(draft: Draft, port: PortId, host: HostName): void {
  const migration = migrationOn(draft, port);
  if (migration?.destination !== host) return;
  const waiting = migration.ports.find((p) => livePort(draft, p.port).standby?.migration === migration.id);
  if (waiting !== undefined) destinationGone(draft, waiting.port, true);
}

/** After anything that may have been the last thing a migration waited for. */
export function settle(draft: Draft, port: PortId): void {
  const migration = migrationOn(draft, port);
  if (migration !== undefined && isComplete(draft.state, migration)) go(draft, migration.id, 'completed');
}

/** The guest came up on another host after it had left the source: what was to come at the standby won't. */
export function supersede(draft: Draft, port: PortId, host: HostName): void {
  const migration = migrationOn(draft, port);
  if (migration === undefined || livePort(draft, port).standby?.migration !== migration.id) return;
  abandon(draft, port, `it was plugged in on ${host}`);
}

function abandon(draft: Draft, port: PortId, reason: string): void {
  const migration = migrationOn(draft, port);
  if (migration !== undefined) happen(draft, migration.id, 'failed', { reason });
}

/** A port that is being moved shows up: at its source the tap lingers; any other host has no part in it. */
export function elsewhere(draft: Draft, host: HostName, port: Port, refuse: Refuse): void {
  const migration = migrationOn(draft, port.id);
  if (migration === undefined || migration.source === host || migration.destination === host) return;
  const reason = `moves from ${migration.source} to ${migration.destination} (${migration.id})`;
  refuse(refusal('migrating', 'port', port.id, reason, 'one of these hosts'));
}
