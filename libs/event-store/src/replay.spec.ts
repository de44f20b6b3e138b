import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap } from '#kernel';
import { decodeEnvelope } from './envelope-decode.js';
import { accountCodec, counterIds, instantClock, rules, type Account } from './fixtures.js';
import { InMemoryLog } from './in-memory-log.js';
import { openSequencer } from './open-sequencer.js';
import { messagesOfLines, replay } from './replay.js';
import { flatCodec, Upcasters } from './upcasters.js';

const utf8 = new TextDecoder();

async function history(): Promise<string[]> {
  const log = new InMemoryLog();
  const base = { log, rules, clock: instantClock(), ids: counterIds(7), cluster: 'lab', actor: 'test' };
  const leader = unwrap(await openSequencer({ ...base, onFault: () => undefined }));
  for (const n of [1, 2, 3]) {
    await leader.submit({
      commandId: `c${n}`,
      actor: 'ann',
      reason: 'a test',
      command: { kind: 'pay', amount: n },
    });
  }
  const lines: string[] = [];
  for await (const batch of log.read(1)) lines.push(...batch.map((m) => utf8.decode(m.bytes)));
  return lines;
}
const run = (lines: string[], with_ = rules) =>
  replay(messagesOfLines(lines.join('\n')), with_, accountCodec);

describe('replay', () => {
  it('gives the state and its digest, whatever the layout of the lines', async () => {
    const lines = await history();
    const plain = run(lines);
    expect(plain).toMatchObject({ ok: true, value: { state: { balance: 6 }, commits: 4 } });
    const laidOut = lines.map((line) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse())),
    );
    expect(run(laidOut)).toEqual(plain);
  });

  it('notices a changed, a missing and an added line', async () => {
    const lines = await history();
    const changed = lines.with(1, lines[1]!.replace('"amount":1', '"amount":9'));
    expect(run(changed)).toMatchObject({ ok: false, error: { seq: 3, revision: 3 } });
    expect(run(lines.toSpliced(2, 1))).toMatchObject({ ok: false, error: { seq: 3 } });
    expect(run([...lines, lines[3]!])).toMatchObject({ ok: false, error: { seq: 5 } });
    expect(run(lines.with(2, '{"half'))).toMatchObject({ ok: false, error: { seq: 3, revision: 3 } });
  });

  it('stops at an event from the future and at one that it does not know', async () => {
    const lines = await history();
    const future = new Upcasters({ Noted: 1 });
    expect(run(lines, { ...rules, upcasters: future })).toMatchObject({
      ok: false,
      error: { seq: 2, revision: 2 },
    });
    const ahead = { ...rules, upcasters: new Upcasters({ Paid: 1, Noted: 1 }) };
    const raised = lines.with(3, lines[3]!.replace('"v":1', '"v":9'));
    expect(run(raised, ahead)).toMatchObject({
      error: { revision: 4, problem: { message: expect.stringContaining('newer than v1') } },
    });
  });

  it('upcasts old events before they are applied', async () => {
    const lines = await history();
    const upcasters = new Upcasters({ Paid: 3, Noted: 1 }, [
      { type: 'Paid', v: 1, up: (data) => ({ cents: (data as { amount: number }).amount * 100 }) },
      { type: 'Paid', v: 2, up: (data) => ({ amount: (data as { cents: number }).cents / 10 }) },
    ]);
    const later = { ...rules, upcasters, codec: flatCodec<never>(upcasters) };
    expect(run(lines, later)).toMatchObject({ ok: true, value: { state: { balance: 60 } } });
    expect(() => new Upcasters({ Paid: 2 })).toThrow('no upcaster of Paid from version 1');
  });

  it('stops where the rules can not apply an event', async () => {
    const evolve = (state: Account): Account => {
      if (state.balance === 0) throw new Error('no such port');
      return state;
    };
    const strict = { ...rules, decider: { ...rules.decider, evolve } };
    expect(run(await history(), strict)).toMatchObject({ ok: false, error: { seq: 2 } });
  });
});

describe('envelope', () => {
  it('names the attribute that is wrong', async () => {
    const line = JSON.parse((await history())[1]!) as Record<string, unknown>;
    const problemWith = (change: object) => {
      const result = decodeEnvelope(new TextEncoder().encode(JSON.stringify({ ...line, ...change })));
      return result.ok ? undefined : result.error.details[0]?.field;
    };
    expect(problemWith({})).toBeUndefined();
    for (const name of Object.keys(line)) {
      expect([name, problemWith({ [name]: '' })]).toEqual([name, name]);
      expect([name, problemWith({ [name]: 7 })]).toEqual(
        name === 'revision' ? [name, undefined] : [name, name],
      );
    }
    for (const name of ['causationid', 'reason']) expect(problemWith({ [name]: null })).toBe(name);
    expect(problemWith({ time: '2026-13-45T99:00:00Z' })).toBe('time');
    expect(problemWith({ revision: 1.5 })).toBe('revision');
    expect(problemWith({ extra: 1 })).toBe('extra');
    expect(problemWith({ data: { events: [] } })).toBe('data.events');
    expect(problemWith({ data: { events: [{ type: 'A', v: 0, data: {} }] } })).toBe('data.events[0].v');
    expect(problemWith({ data: { events: [{ type: 'A', v: 1 }] } })).toBe('data.events[0].data');
    expect(problemWith({ data: { chunks: 0, hash: '' } })).toBe('data.chunks');
    expect(decodeEnvelope(new Uint8Array([0xff, 0xfe])).ok).toBe(false);
    expect(decodeEnvelope(new TextEncoder().encode('[]')).ok).toBe(false);
  });

  it('survives any bytes and any change of a valid one', async () => {
    const line = (await history())[1]!;
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !decodeEnvelope(bytes).ok));
    const place = fc.nat(line.length - 1);
    fc.assert(
      fc.property(place, fc.string({ maxLength: 5 }), fc.nat(5), (at, text, cut) => {
        const changed = new TextEncoder().encode(line.slice(0, at) + text + line.slice(at + cut));
        expect(typeof decodeEnvelope(changed).ok).toBe('boolean');
      }),
    );
    fc.assert(fc.property(fc.json(), (json) => !decodeEnvelope(new TextEncoder().encode(json)).ok));
  });
});
