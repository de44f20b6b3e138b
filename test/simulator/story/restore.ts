import { KEYS, openDocumentBytes, SUBJECTS } from '#contracts';
import { type ServerCopy } from '../bus/server.js';
import { type Random } from '../engine/random.js';
import { verifier } from '../services/signing.js';
import { type SimWorld } from './world.js';

/** What of its store the message server comes back with as it once was. */
const PARTS = ['log', 'all', 'documents'] as const;
type Part = (typeof PARTS)[number];

/** The message server goes down and comes back with an older copy; after a loss of power only the last is missing. */
export function putBack(world: SimWorld, dice: Random): void {
  const { server, scheduler, auditor } = world;
  const part = dice.pick(PARTS);
  // Documents of another lineage than the log's: which of them is the newer one nobody could tell.
  const known =
    part === 'documents' ? world.copies.filter((c) => c.lineage === auditor.lineage) : world.copies;
  const isRecent = known.length === 0 || dice.chance(0.3);
  const copy = isRecent ? world.copy() : dice.pick(known);
  scheduler.in(isRecent ? dice.between(1, 300) : 0, null, 'timer', () => {
    if (
      !server.up ||
      auditor.isReturned ||
      (copy.lineage !== auditor.lineage && part === 'documents') ||
      world.isCalm
    )
      return;
    const to = part === 'documents' ? copy.rest.docs.lastSeq : copy.log.lastSeq;
    scheduler.note(
      `   ! the message server goes down, and will come back with an older copy: ${part}, ${to}`,
    );
    server.stop();
    if (part === 'documents') server.docs.restore(copy.rest.docs);
    else restore(world, copy, part);
    scheduler.in(dice.between(50, 3_000), null, 'timer', () => server.start());
    if (dice.chance(0.3)) restartManagers(world, dice);
  });
}

function restore(world: SimWorld, copy: ServerCopy, part: Part): void {
  const { server, auditor, facts } = world;
  const { lastSeq } = copy.log;
  const isLess = server.log.lastSeq > lastSeq;
  const had = world.managers.flatMap(({ service }) => {
    const head = service?.process.alive === true ? service.follower.head : undefined;
    return service && head !== undefined && head.seq > lastSeq ? [service.process.name] : [];
  });
  server.restore(copy, part === 'log');
  if (part === 'all') facts.restore(copy.rest.acknowledged);
  // What was copied of more is of another history from now on.
  world.copies = world.copies.filter((c) => c.log.lastSeq <= lastSeq);
  if (!isLess) return;
  auditor.putBack(lastSeq, new Set(had));
  auditor.owesLineage = isAhead(world);
  // What was counted in a history that is no more, nobody is owed; and what of it was lost, nobody knows.
  for (const nic of world.nics) {
    nic.exact = false;
    nic.silent = true;
  }
}

/** Nobody remembers what was read but their disks, if at all. */
function restartManagers(world: SimWorld, dice: Random): void {
  const isWiped = dice.chance(0.5);
  world.scheduler.note(`   ! all managers are killed${isWiped ? ', and their disks are lost' : ''}`);
  world.managers.forEach(({ service, disk }, i) => {
    service?.process.kill();
    if (isWiped) disk.wipe();
    world.scheduler.in(dice.between(1, 4_000), null, 'timer', () => world.startManager(i));
  });
}

/** Whether the last mark speaks of a revision that the log, as it was put back, does not hold. */
function isAhead({ server, auditor }: SimWorld): boolean {
  const stored = server.docs.last(SUBJECTS.doc(KEYS.mark));
  const mark = stored === undefined ? undefined : openDocumentBytes(stored.bytes, verifier, KEYS.mark);
  if (mark?.ok !== true || mark.value.type !== 'mark') return false;
  return mark.value.lineage === auditor.lineage && mark.value.revision > auditor.revision;
}
