import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { invalid, problem, type Clock } from '#kernel';
import { parseReport } from '#contracts';
import { RATES } from './allowance.js';
import { Distrust } from './distrust.js';

function world() {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => undefined };
  const lines: object[] = [];
  const distrust = new Distrust(clock, { warn: (fields) => lines.push(fields) });
  return { distrust, lines, pass: (ms: number) => (now += ms) };
}

describe('messages of hosts', () => {
  it('are counted by host and kind when they are refused, and said now and then', async () => {
    const { distrust, lines, pass } = world();
    const registry = new Registry();
    distrust.measure(registry);
    const large = parseReport(' '.repeat(600_000));
    const senseless = parseReport('{"schema":1}');
    if (large.ok || senseless.ok) throw new Error('accepted');
    for (const why of [
      large.error,
      senseless.error,
      invalid('host', 'b', 'is not the host that it came from', 'a'),
      problem('fenced', 'late'),
      problem('conflict', 'ahead'),
      problem('not-found', 'who?'),
    ])
      distrust.refusedFor('a', why);
    distrust.refused('b', 'fact:fenced', 'an old epoch');
    expect(distrust.list().map((r) => `${r.host} ${r.kind} ${r.count}`)).toEqual([
      'a ahead 1',
      'a malformed 1',
      'a other-host 1',
      'a oversized 1',
      'a stale 1',
      'a unknown-host 1',
      'b fact:fenced 1',
    ]);
    expect(lines).toHaveLength(2);
    pass(10_000);
    distrust.refused('a', 'stale', 'again');
    expect(lines[2]).toMatchObject({ host: 'a', kind: 'stale', more: 5 });
    expect(await registry.metrics()).toContain(
      'portolan_host_messages_refused_total{host="a",kind="stale"} 2',
    );
  });

  it('are not read any more when one sends too many; the others are, and it is again after a while', () => {
    const { distrust, pass } = world();
    let read = 0;
    for (let i = 0; i < RATES.facts.burst * 2; i += 1) if (distrust.allows('facts', 'a', 1)) read += 1;
    expect(read).toBeLessThanOrEqual(RATES.facts.burst);
    expect(read).toBeGreaterThan(RATES.facts.burst * 0.9);
    expect(distrust.allows('facts', 'b', 1)).toBe(true);
    expect(distrust.allows('report', 'a', 1)).toBe(true);
    pass(1_000);
    expect(distrust.allows('facts', 'a', 1)).toBe(true);
    expect(distrust.list()).toEqual([{ host: 'a', kind: 'flood', count: RATES.facts.burst * 2 - read }]);
  });

  it('that are large cost more: few of them are read', () => {
    const { distrust } = world();
    let read = 0;
    for (let i = 0; i < 200; i += 1) if (distrust.allows('report', 'a', 500_000)) read += 1;
    expect(read).toBeLessThan(20);
  });
});
