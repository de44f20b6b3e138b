import { auditArrived, auditPort, type Books } from './audit.js';
import { kill } from './kill.js';
import { type Move } from './move.js';
import { type Outcome } from './outcomes.js';
import { type ChaosWorld } from './world.js';

/** Services without which a guest goes its way: they are down until it has arrived. */
const CONTROL: readonly string[] = ['manager', 'coordinator', 'nats', 'agent@source', 'agent@destination'];

/** One case, from a guest that sends to a guest that sends; throws when something is not as it must be. */
export async function play(
  world: ChaosWorld,
  books: Books,
  reach: () => Promise<Move>,
  victim: string,
  moment: string,
  outcome: Outcome,
): Promise<void> {
  await world.streams.flow();
  const move = await reach();
  try {
    const restart = await kill(world, move, victim);
    if (moment === 'copying' && CONTROL.includes(victim)) {
      await move.hurry();
      await move.arrived();
    }
    await restart();
  } finally {
    await move.release();
  }
  if (outcome.guest === 'moved') await move.goOn();
  // Whoever runs VMs takes away what waited for a guest that does not come any more.
  if (victim === 'qemu@source' && outcome.guest === 'lost') await move.clear('destination');
  if (outcome.word) {
    await move.phase('unknown');
    await world.migrations.abort(move.id);
  }
  await move.phase(outcome.ends, outcome.or ?? outcome.ends);
  if (outcome.guest === 'stayed') await move.clear('destination');
  await auditPort(world, move, outcome);
  await close(world, books, move, outcome);
}

async function close(world: ChaosWorld, books: Books, move: Move, outcome: Outcome): Promise<void> {
  if (outcome.guest === 'lost') {
    await move.clear('source');
    await books.balance(move, outcome);
    await auditArrived(world);
    await world.streams.forget();
    return world.boot(move.source);
  }
  if (outcome.guest === 'moved') await move.left();
  await world.streams.flow();
  await world.hush();
  await books.balance(move, outcome);
  await auditArrived(world);
  await world.streams.forget();
  await world.speak();
}
