import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LOAD_FIGURES, loadOf, moveFor, type PortLoad, type Traffic, type UplinkLoad } from './balance.js';

const GIGABIT = 1e9;

/** A port, and how much of its traffic stays on the host: the switch counts that, too, and no uplink carries it. */
interface Guest extends Traffic {
  readonly key: PortLoad['key'];
  readonly inside: number;
  on: string;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `uplink${i + 1}`);
const share = ({ inside }: Guest): number => 1 - inside;

function loads(speeds: readonly number[], guests: readonly Guest[]): UplinkLoad[] {
  return names(speeds.length).map((name, i) => {
    const here = guests.filter((g) => g.on === name);
    const sum = (way: keyof Traffic) => here.reduce((all, g) => all + g[way] * share(g), 0);
    return { name, speed: speeds[i] ?? GIGABIT, sent: sum('sent'), received: sum('received') };
  });
}

/** The next move, carried out. */
function turn(speeds: readonly number[], guests: readonly Guest[]): boolean {
  const among = names(speeds.length);
  const ports = guests.map(({ key, on, sent, received }) => ({ key, on, sent, received, among }));
  const move = moveFor(loads(speeds, guests), ports, LOAD_FIGURES);
  const moved = guests.find(({ key }) => key === move?.key);
  if (move === null || moved === undefined) return false;
  expect(move.from).toBe(moved.on);
  moved.on = move.to;
  return true;
}

const guest = (n: number, on: number, sent: number, received = 0, inside = 0): Guest => ({
  key: `p${n}@1` as Guest['key'],
  on: `uplink${on}`,
  sent: sent * GIGABIT,
  received: received * GIGABIT,
  inside,
});

describe('a port is moved for the load', () => {
  const two = [GIGABIT, GIGABIT];

  it('from an uplink over the threshold, the busiest that helps, and no more than needed', () => {
    const guests = [guest(1, 1, 0.5), guest(2, 1, 0.3), guest(3, 2, 0.1)];
    expect(turn(two, guests)).toBe(true);
    expect(guests.map((g) => g.on)).toEqual(['uplink1', 'uplink1', 'uplink2'].with(0, 'uplink2'));
    expect(turn(two, guests)).toBe(false);
  });

  it('not at the threshold, nor where it would only take the load along', () => {
    expect(turn(two, [guest(1, 1, 0.4), guest(2, 1, 0.35)])).toBe(false);
    expect(turn(two, [guest(1, 1, 0.9), guest(2, 2, 0.1)])).toBe(false);
    expect(turn([GIGABIT, GIGABIT / 10], [guest(1, 1, 0.5), guest(2, 1, 0.4)])).toBe(false);
  });

  it('by the direction that is full', () => {
    const guests = [guest(1, 1, 0.5, 0), guest(2, 1, 0, 0.4), guest(3, 1, 0, 0.45)];
    expect(turn(two, guests)).toBe(true);
    expect(guests.map((g) => g.on)).toEqual(['uplink1', 'uplink1', 'uplink2']);
  });

  it('goes to the least loaded of those that may carry it', () => {
    const uplinks = loads([GIGABIT, GIGABIT, GIGABIT], [guest(1, 1, 0.9), guest(3, 2, 0.2)]);
    const port = { key: 'p9@1', on: 'uplink1', sent: 0.3 * GIGABIT, received: 0 } as const;
    const to = (among: readonly string[]) =>
      moveFor(uplinks, [{ ...port, key: port.key as Guest['key'], among }], LOAD_FIGURES)?.to;
    expect(to(names(3))).toBe('uplink3');
    expect(to(names(2))).toBe('uplink2');
    expect(to(['uplink1'])).toBeUndefined();
  });
});

const traffic = fc.double({ min: 0, max: 1, noNaN: true });
const guestOf = fc.record({
  sent: traffic,
  received: traffic,
  on: fc.integer({ min: 1, max: 4 }),
  inside: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
});
const speeds = fc.array(fc.constantFrom(0.1, 1, 2.5, 10), { minLength: 2, maxLength: 4 });

describe('moves for the load, whatever it is', () => {
  it('come to an end while it stays the same, and leave no uplink fuller than the fullest was', () => {
    fc.assert(
      fc.property(speeds, fc.array(guestOf, { maxLength: 12 }), (gigabits, some) => {
        const all = gigabits.map((g) => g * GIGABIT);
        const guests = some.map((g, i) => guest(i, 1 + (g.on % all.length), g.sent, g.received, g.inside));
        const fullest = () => Math.max(...loads(all, guests).map(loadOf));
        const places = () => guests.map((g) => g.on).join();
        const seen = new Set([places()]);
        let before = fullest();
        while (turn(all, guests)) {
          expect(seen.has(places())).toBe(false);
          seen.add(places());
          expect(fullest()).toBeLessThanOrEqual(before);
          before = fullest();
        }
      }),
    );
  });
});
