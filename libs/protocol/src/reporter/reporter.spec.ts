import { describe, expect, it } from '@jest/globals';
import { type HostName, type Revision } from '#kernel';
import { type Report } from '#contracts';
import { VirtualClock } from '../simulation/virtual-clock.js';
import { lineageOf } from '../simulation/world.js';
import { Reporter, type Standing } from './reporter.js';

const standing = (realised: number): Standing => ({
  host: 'a' as HostName,
  lineage: lineageOf(1),
  boot: 'b',
  realised: realised as Revision,
  received: realised as Revision,
  exceptions: [],
  version: '1',
  driver: 'simulated',
});

function given() {
  const clock = new VirtualClock();
  const sent: Report[] = [];
  const reporter = new Reporter({ clock, idleGapMs: 1_000, send: (report) => void sent.push(report) });
  return { clock, sent, reporter };
}

describe('the reporter', () => {
  it('sends a change at once, and what follows closely as one', async () => {
    const { clock, sent, reporter } = given();
    for (let n = 1; n <= 100; n += 1) reporter.update(standing(n));
    expect(sent.map((s) => s.realised)).toEqual([1]);
    await clock.advance(20);
    expect(sent.map((s) => s.realised)).toEqual([1, 100]);
    reporter.update(standing(100));
    await clock.advance(1000);
    expect(sent).toHaveLength(2);
  });

  it('lets what nobody waits for wait, and sends it with what somebody does', async () => {
    const { clock, sent, reporter } = given();
    reporter.update(standing(1));
    await clock.advance(1000);
    reporter.update(standing(2), false);
    await clock.advance(490);
    reporter.update(standing(3), false);
    expect(sent).toHaveLength(1);
    await clock.advance(510);
    expect(sent.map((s) => s.realised)).toEqual([1, 3]);
    reporter.update(standing(4), false);
    await clock.advance(20);
    reporter.update(standing(5));
    expect(sent.map((s) => s.realised)).toEqual([1, 3, 5]);
    await clock.advance(1000);
    expect(sent).toHaveLength(3);
  });

  it('spreads what many hosts have to say of the same mark', async () => {
    const clock = new VirtualClock();
    const sentAt: number[] = [];
    for (let i = 0; i < 100; i += 1) {
      const host = `host-${i}` as HostName;
      const send = () => void sentAt.push(clock.monotonic());
      const reporter = new Reporter({ clock, idleGapMs: 1_000, send });
      reporter.update({ ...standing(1), host });
      reporter.update({ ...standing(2), host }, false);
    }
    const begun = clock.monotonic();
    sentAt.length = 0;
    await clock.advance(1000);
    const after = sentAt.map((at) => at - begun);
    expect(after).toHaveLength(100);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(500);
    const most = Math.max(
      ...[500, 600, 700, 800, 900].map((t) => after.filter((a) => a >= t && a < t + 100).length),
    );
    expect(most).toBeLessThan(40);
  });

  it('numbers its reports, above those of an earlier run', async () => {
    const { clock, sent, reporter } = given();
    await clock.advance(7);
    reporter.update(standing(1));
    await clock.advance(5_000);
    reporter.stop();
    const next = new Reporter({ clock, send: (report) => void sent.push(report), from: 9_000 });
    next.update(standing(1));
    next.stop();
    const [first, second, third] = sent.map((s) => s.n ?? Number.NaN);
    expect([second, third]).toEqual([first! + 1, 9_000]);
  });

  it('repeats itself every 5 s until it is stopped', async () => {
    const { clock, sent, reporter } = given();
    reporter.update(standing(1));
    await clock.advance(15_000);
    expect(sent).toHaveLength(4);
    reporter.stop();
    await clock.advance(15_000);
    expect(sent).toHaveLength(4);
  });
});
