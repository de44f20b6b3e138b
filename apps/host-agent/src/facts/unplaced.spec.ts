import { describe, expect, it } from '@jest/globals';
import { type PortDocument } from '#contracts';
import { type InterfaceFact } from '#domain';
import { misplaced, Unplaced } from './unplaced.js';

const NONE: ReadonlySet<string> = new Set();

function setup() {
  const timers: { ms: number; fn: () => void; live: boolean }[] = [];
  let told = 0;
  const clock = {
    after: (ms: number, fn: () => void) => {
      const timer = { ms, fn, live: true };
      timers.push(timer);
      return () => void (timer.live = false);
    },
  };
  const unplaced = new Unplaced(clock, () => (told += 1));
  return { unplaced, timers, live: () => timers.filter((t) => t.live), told: () => told };
}

describe('interfaces that no document speaks of', () => {
  it('are told again, ever less often', () => {
    const { unplaced, live, told } = setup();
    unplaced.seen(['if-1'], NONE);
    const waited: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      const timer = live().at(-1);
      if (timer === undefined) throw new Error('nothing is waited for');
      waited.push(timer.ms);
      timer.live = false;
      timer.fn();
    }
    expect(told()).toBe(10);
    expect(waited.slice(0, 3)).toEqual([2_000, 4_000, 8_000]);
    expect(waited.at(-1)).toBe(300_000);
  });

  it('are forgotten when they found their place, and begin anew when others come', () => {
    const { unplaced, live } = setup();
    unplaced.seen(['if-1'], NONE);
    unplaced.seen(['if-1'], NONE);
    expect(live()).toHaveLength(1);
    unplaced.seen([], NONE);
    expect(live()).toHaveLength(0);
    unplaced.seen(['if-2'], NONE);
    expect(live().map((t) => t.ms)).toEqual([2_000]);
    unplaced.close();
    expect(live()).toHaveLength(0);
  });
});

describe('what a guest left behind that has gone elsewhere', () => {
  it('is given more time to be taken away, but not what is there beside it', () => {
    const { unplaced, live } = setup();
    const left = new Set(['if-1']);
    unplaced.seen(['if-1'], left);
    expect(live().map((t) => t.ms)).toEqual([10_000]);
    unplaced.seen(['if-1', 'if-2'], left);
    expect(live().map((t) => t.ms)).toEqual([2_000]);
  });
});

describe('what is plugged against what the documents say', () => {
  const plugged = (...ids: string[]) => ids.map((ifaceId) => ({ ifaceId })) as unknown as InterfaceFact[];
  const port = (ifaceId: string, role: string) =>
    ({ role, connectee: { ifaceId } }) as unknown as PortDocument;

  it('parts where an interface has no document that holds, and where an active port has no interface', () => {
    const ports = [
      port('if-1', 'active'),
      port('if-2', 'active'),
      port('if-3', 'standby'),
      port('if-4', 'retired'),
    ];
    expect(misplaced(plugged('if-1', 'if-4', 'if-5'), ports)).toEqual(['if-4', 'if-5', 'if-2']);
    expect(misplaced(plugged('if-1', 'if-2'), ports)).toEqual([]);
  });
});
