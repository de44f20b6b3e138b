import { type MigrationId } from '#kernel';
import { type DomainEvent, type Migration, type State } from '#domain';
import { type Guest } from '../host/guest.js';

export interface MoveSurroundings {
  readonly guests: ReadonlyMap<string, Guest>;
  /** The log came back older, and nobody was left who could know. */
  readonly auditor: { readonly isReturned: boolean };
  broken(what: string): void;
  now(): number;
}

/** Holds what the log says of guests that move against where they are, commit by commit. */
export class MoveChecks {
  private readonly began = new Map<MigrationId, number>();

  constructor(private readonly world: MoveSurroundings) {}

  committed(events: readonly DomainEvent[], before: State, after: State): void {
    for (const event of events) {
      // What begins before it is noticed that the log came back older may bear the name of a move that the log lost.
      if (event.type === 'MigrationStarted' && !this.world.auditor.isReturned)
        this.began.set(event.migration.id, this.world.now());
      if (event.type === 'PortActivated') {
        const id = before.moving.get(event.port) ?? after.moving.get(event.port);
        const migration =
          id === undefined ? undefined : (before.migrations.get(id) ?? after.migrations.get(id));
        if (migration !== undefined) this.activated(migration, event.port);
      }
      if (event.type === 'MigrationAdvanced' && (event.to === 'failed' || event.to === 'aborted'))
        this.undone(after.migrations.get(event.migration), after);
    }
  }

  /** What we move is at the destination only when the guest was there since it began, or is just about to be. */
  private activated({ id, owner, origin, destination }: Migration, port: string): void {
    const guest = this.world.guests.get(owner);
    const began = this.began.get(id);
    if (origin === 'observed' || guest === undefined || began === undefined) return;
    if (guest.places.includes(destination) || guest.machine === null || guest.goingTo === destination) return;
    if ((guest.wasAt.get(destination) ?? -1) < began)
      this.world.broken(
        `${id} takes ${port} for active at ${destination}, and ${owner} was not there since it began`,
      );
  }

  /** Given up: every port of it is back at the source, if there is one to go back to. */
  private undone(migration: Migration | undefined, { ports, switches }: State): void {
    for (const p of migration?.ports ?? []) {
      const port = ports.get(p.port);
      if (port === undefined || migration === undefined || port.epoch !== p.epoch) continue;
      if (port.active?.host !== migration.destination) continue;
      if (switches.get(port.switch)?.members[migration.source] !== undefined)
        this.world.broken(
          `${migration.id} was given up, and ${port.id} is still at ${migration.destination}`,
        );
    }
  }
}
