import { type FilterRule } from '#domain';
import { type Action, type Meter } from '#openflow';
import { fnv32 } from '../../hash.js';
import { HOST_METERS } from '../../meters.js';
import { toAgent } from '../../pipeline/actions.js';
import { type RuleList } from './lists.js';
import { type Way } from './sides.js';

/** What the agent needs of a frame: all headers, and what an ICMP error has to quote. */
const MAX_LEN = 256;
/** Frames a second for all rules of a bridge, each of both: an agent spends a few percent of a core on that. */
const MOST = 1_000;
/** Of them for the answers of one list, and for the log of one rule at most. */
const EACH = 100;

const within = ({ from, to }: { readonly from: number; readonly to: number }, key: number): number =>
  from + (key % (to - from + 1));

/** What hangs on the list and the rule alone; lists that meet in one meter have its rate together. */
const answersMeter = (list: number): number => within(HOST_METERS.reject, list);
const logMeter = (list: number, rule: string): number => within(HOST_METERS.log, fnv32(`${list} ${rule}`));

/**
 * What the agent is told of a frame that a rule took. A meter of its own bounds it, and what that holds back is not told;
 * whatever becomes of that, the frame is treated as the rule says.
 */
export function told({ name, action, log }: FilterRule, list: number, direction: Way): Action[] {
  const rule = { name, direction, verdict: action, sample: log?.sample ?? 1 };
  const tell = (kind: 'logged' | 'rejected', meter: number): Action =>
    toAgent({ kind, slot: list, epoch: 0, rule }, { maxLen: MAX_LEN, meter });
  return [
    ...(log === undefined ? [] : [tell('logged', logMeter(list, name))]),
    ...(action === 'reject' ? [tell('rejected', answersMeter(list))] : []),
  ];
}

/** Meters of all that is told, with what is wanted of each, less where that is too much together. */
export function toldMeters(lists: readonly RuleList[]): Meter[] {
  const answers = new Map<number, number>();
  const lines = new Map<number, number>();
  for (const { number, filter } of lists)
    for (const { enabled, action, name, log } of filter.rules) {
      if (!enabled) continue;
      if (action === 'reject') answers.set(answersMeter(number), EACH);
      if (log !== undefined) more(lines, logMeter(number, name), Math.min(EACH, log.perSecond * log.sample));
    }
  return [...bounded(answers), ...bounded(lines)];
}

const more = (sums: Map<number, number>, id: number, n: number): void =>
  void sums.set(id, (sums.get(id) ?? 0) + n);

function bounded(wanted: ReadonlyMap<number, number>): Meter[] {
  const sum = [...wanted.values()].reduce((all, n) => all + n, 0);
  return [...wanted].map(([id, n]) => {
    const rate = Math.max(1, Math.floor(n * Math.min(1, MOST / sum)));
    return { id, unit: 'pktps', rate, burst: rate };
  });
}
