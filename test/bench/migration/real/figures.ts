import { atMost, type Figure } from '../../support/figure.js';
import { spread } from '../../support/stats.js';
import { type Rig } from './rig.js';
import { type Seen } from './trial.js';

/** A way to move a real guest, and what was seen of it. */
export interface Tried {
  readonly name: string;
  readonly side: Rig['name'];
  readonly seen: readonly Seen[];
  /** Of ours: what the ledger did not count of what the guest had sent, after each move. */
  readonly errors: readonly number[];
  /** Of these: what its switch never read, as a busy switch in userspace loses bursts. */
  readonly lost: readonly number[];
}

/** Whose each part of a blackout is: the guest's own pause, and what comes on top of it. */
export function figuresOf({ name, side, seen, errors, lost }: Tried): readonly Figure[] {
  const isOurs = side === 'ours';
  const of = (value: (s: Seen) => number) => spread(seen.map(value));
  const [beyond, from] = [of(({ to }) => to.before + to.after), of((s) => s.from)];
  const [twice, twiceFrom] = [of((s) => s.toDoubled), of((s) => s.fromDoubled)];
  const parts = {
    before: of((s) => s.to.before),
    during: of((s) => s.to.during),
    after: of((s) => s.to.after),
  };
  const figure = (what: string, unit: string, it: Figure['spread'], more: Partial<Figure> = {}): Figure => ({
    ...{ bench: 'migration', what: `real guest, ${name}: ${what}`, unit, spread: it },
    ...more,
  });
  const held = (target: NonNullable<Figure['target']>) => (isOurs ? { target } : {});
  const all = [
    figure(
      'its own pause, STOP to RESUME',
      'ms',
      of((s) => s.pauseMs),
    ),
    figure('packets to it lost beyond its pause', 'packets', beyond, {
      ...held(atMost(0, beyond.p50, 'p50 ')),
      detail: parts,
    }),
    figure('packets from it lost', 'packets', from, held(atMost(0, from.p50, 'p50 '))),
    figure('packets to it doubled', 'packets', twice, held(atMost(0, twice.max, 'all '))),
    figure('packets from it doubled', 'packets', twiceFrom, held(atMost(0, twiceFrom.max, 'all '))),
    figure(
      'nothing came from it for so long, less its pause',
      'ms',
      of((s) => s.silenceMs - s.pauseMs),
    ),
  ];
  return isOurs ? [...all, ledger(figure, errors, lost)] : all;
}

function ledger(
  figure: (what: string, unit: string, it: Figure['spread'], more: Partial<Figure>) => Figure,
  errors: readonly number[],
  lost: readonly number[],
): Figure {
  const target = { text: 'all 0', met: errors.every((e) => e === 0) };
  return figure('sent by it and not in its ledger', 'packets', spread(errors), {
    target,
    detail: { neverReadByTheSwitch: spread(lost) },
  });
}

/** What the agents' hypervisors told of the pauses, for all moves of a guest. */
export function pausesTold(what: string, pauses: readonly (number | null)[]): Figure {
  const told = pauses.filter((ms) => ms !== null);
  return {
    ...{ bench: 'migration', what: `real guest, ${what}: its pause as told by its hypervisor`, unit: 'ms' },
    spread: spread(told),
    target: { text: 'told of all', met: told.length === pauses.length },
  };
}
