import { type MigrationOutcome } from '../hypervisor.js';
import { type MigrationLook } from './machine.js';
import { type Asked } from '../moves.js';

/** States of a migration that has begun and not ended. */
export const UNDER_WAY: ReadonlySet<string> = new Set([
  'setup',
  'active',
  'wait-unplug',
  'pre-switchover',
  'device',
  'cancelling',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover',
  'colo',
]);

/**
 * What QEMU's state means for an order.
 *
 * - `ask`: nothing was begun for it, and nothing stands in the way.
 * - `follow`: what QEMU says of its migration is about this order.
 * - `end`: neither; with what there is to say of it.
 */
export type Verdict =
  | { readonly do: 'ask' | 'follow' }
  | { readonly do: 'end'; readonly outcome: MigrationOutcome['outcome']; readonly reason: string };

/**
 * QEMU keeps the end of its last migration, and of its own arrival, for as long as it lives. An order that is on disk
 * was begun only if QEMU says something else now than just before it was asked: the agent may have died in between.
 *
 * | QEMU says | its guest | order on disk | verdict |
 * | --- | --- | --- | --- |
 * | anything | not arrived yet | | end: failed |
 * | another thing than then | here | yes | follow |
 * | `completed`, and not then | runs here | yes | end: unknown |
 * | anything | gone | yes | follow |
 * | it migrates | here | no | end: unknown |
 * | anything else | here | no, or as it was then | ask |
 * | anything | gone | no | end: unknown |
 */
export function judge(asked: Asked | undefined, look: MigrationLook, runState: string): Verdict {
  if (runState === 'inmigrate') return end('failed', 'the guest has not arrived here yet');
  const isGone = runState === 'postmigrate';
  const isOurs =
    asked !== undefined && look.status !== 'none' && (isGone || (asked.before ?? NEVER) !== lookKey(look));
  if (isOurs && look.status === 'completed' && runState === 'running')
    return end('unknown', 'QEMU sent the guest away, and somebody let it run here again');
  if (isOurs) return { do: 'follow' };
  if (UNDER_WAY.has(look.status)) return end('unknown', 'somebody else moves the guest by hand already');
  if (isGone) return end('unknown', 'the guest was moved away by somebody else');
  return { do: 'ask' };
}

/** As QEMU speaks before its first migration. */
const NEVER = 'none||';

/** By which one migration's end is told from another's. */
export const lookKey = ({ status, reason, tookMs }: MigrationLook): string =>
  [status, reason ?? '', tookMs ?? ''].join('|');

const end = (outcome: MigrationOutcome['outcome'], reason: string): Verdict => ({
  do: 'end',
  outcome,
  reason,
});
