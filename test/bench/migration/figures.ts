import { type MigrationView } from '#contracts/http';
import { atMost, type Figure } from '../support/figure.js';
import { spread } from '../support/stats.js';
import { type Direction, type Seen } from './trial.js';

/** A way to move a guest, and what was seen of it. */
export interface Tried {
  readonly name: string;
  readonly side: 'ours' | 'OVN';
  readonly seen: readonly Seen[];
  /** Of ours: what the ledger did not count of what the guest had sent, after each move. */
  readonly errors: readonly number[];
}

const DIRECTIONS = ['to', 'from'] as const;

export function figuresOf(tried: readonly Tried[]): readonly Figure[] {
  const [first] = tried.filter((t) => t.side === 'ours');
  return [...tried.flatMap(each), ...(first === undefined ? [] : [besideBest(first, tried)])];
}

/** What a move takes the services themselves, by the log's times: hosts have carried out what belongs to each phase. */
export function phasesOf(migrations: readonly MigrationView[]): readonly Figure[] {
  const took = (phase: string) =>
    spread(
      migrations.flatMap(({ history }) => history.filter((h) => h.phase === phase).map((h) => h.afterMs)),
    );
  return [
    figure('seen at the destination to prepared, ours', 'ms', took('prepared')),
    figure('switched to completed, ours', 'ms', took('completed')),
  ];
}

function each({ name, side, seen, errors }: Tried): readonly Figure[] {
  const isOurs = side === 'ours';
  const moves = DIRECTIONS.flatMap((way) => {
    const of = (key: keyof Direction) => spread(seen.map((s) => s[way][key]));
    const [lost, doubled] = [of('lost'), of('doubled')];
    const what = `${way} the guest, ${name}`;
    return [
      figure(`blackout ${what}`, 'ms', of('blackoutMs'), { detail: { gapMs: of('gapMs') } }),
      figure(`packets lost ${what}`, 'packets', lost, isOurs && { target: atMost(0, lost.p50, 'p50 ') }),
      figure(
        `packets doubled ${what}`,
        'packets',
        doubled,
        isOurs && { target: atMost(0, doubled.max, 'all ') },
      ),
    ];
  });
  return isOurs ? [...moves, ledger(name, errors)] : moves;
}

function ledger(name: string, errors: readonly number[]): Figure {
  const target = { text: 'all 0', met: errors.every((e) => e === 0) };
  return figure(`sent by the guest and not in its ledger, ${name}`, 'packets', spread(errors), { target });
}

/** The blackout in the worse direction: of ours, and of the best of OVN's ways. */
function besideBest(ours: Tried, tried: readonly Tried[]): Figure {
  const worse = ({ seen }: Tried) =>
    spread(seen.map(({ to, from }) => Math.max(to.blackoutMs, from.blackoutMs)));
  const [best] = tried
    .filter((t) => t.side === 'OVN')
    .map((t) => ({ name: t.name, blackout: worse(t) }))
    .toSorted((a, b) => a.blackout.p50 - b.blackout.p50);
  const of = worse(ours);
  const target = { text: "p50 < the best of OVN's", met: of.p50 < best!.blackout.p50 };
  return figure('blackout in the worse direction, ours', 'ms', of, { target, detail: { best } });
}

const figure = (
  what: string,
  unit: string,
  of: Figure['spread'],
  more: Partial<Pick<Figure, 'target' | 'detail'>> | false = {},
): Figure => ({ bench: 'migration', what, unit, spread: of, ...more });
