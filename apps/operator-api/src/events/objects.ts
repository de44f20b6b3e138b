import { type DomainEvent } from '#domain';

/** What an event is about, as `kind/name`: what `?object=` filters by. */
export function objectsOf(event: DomainEvent): string[] {
  const found = new Set<string>();
  const defined = /^(?:Address|Port)?(Host|Switch|Group|Set)(?:Defined|Removed|Closing|Deleted)$/.exec(
    event.type,
  )?.[1];
  if (defined !== undefined && 'name' in event) found.add(`${defined.toLowerCase()}/${event.name}`);
  for (const key of ['port', 'group', 'switch', 'host'] as const) {
    const value = (event as unknown as Record<string, unknown>)[key];
    if (typeof value === 'string') found.add(`${key}/${value}`);
  }
  if (event.type === 'MigrationStarted') {
    const m = event.migration;
    found.add(`migration/${m.id}`).add(`host/${m.source}`).add(`host/${m.destination}`);
    for (const p of m.ports) found.add(`port/${p.port}`);
    if (m.evacuation !== undefined) found.add(`evacuation/${m.evacuation}`);
  } else if ('migration' in event) {
    found.add(`migration/${event.migration}`);
  }
  if (event.type === 'EvacuationStarted') {
    found.add(`evacuation/${event.evacuation.id}`).add(`host/${event.evacuation.host}`);
  } else if ('evacuation' in event) {
    found.add(`evacuation/${event.evacuation}`);
  }
  if (event.type === 'StandbyGranted') {
    found.add(`host/${event.standby.host}`).add(`migration/${event.standby.migration}`);
  }
  return [...found];
}
