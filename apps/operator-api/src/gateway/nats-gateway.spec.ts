import { describe, expect, it } from '@jest/globals';
import { err, ok, problem, type Clock, type Lineage, type Result, type Revision } from '#kernel';
import { type CommandRequest } from '#contracts';
import { NatsGateway } from './nats-gateway.js';

const LINEAGE = '0b8f1c1e-0000-4000-8000-000000000001' as Lineage;
const request: CommandRequest = {
  v: 1,
  commandId: 'c1',
  actor: 'ada',
  correlationId: 't1',
  command: { type: 'Apply', resources: [] },
};
const accepted = { ok: true, revision: 7, lineage: LINEAGE, events: 1 };
const away = err(problem('unavailable', 'nobody serves it'));
const lost = err(problem('unknown', 'no answer'));

/** Time passes only by waiting; answers come in order, the last for ever. */
function gateway(...answers: Result<unknown>[]) {
  let now = 0;
  const asked: unknown[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after: (ms, fn) => {
      now += ms;
      queueMicrotask(fn);
      return () => undefined;
    },
  };
  const client = {
    request: <T>(_subject: string, payload: unknown) => {
      asked.push(payload);
      return Promise.resolve((answers.length > 1 ? answers.shift() : answers[0]) as Result<T>);
    },
  };
  return { gateway: new NatsGateway(client, clock), asked, time: () => now };
}

describe('the way to the leader', () => {
  it('asks again under the same command id until somebody leads', async () => {
    const { gateway: g, asked } = gateway(away, lost, ok({ ok: false, problem: away.error }), ok(accepted));
    expect(await g.execute(request)).toEqual(ok(accepted));
    expect(asked).toHaveLength(4);
    expect(new Set(asked.map((a) => (a as CommandRequest).commandId))).toEqual(new Set(['c1']));
  });

  it('gives up after about three seconds', async () => {
    const { gateway: g, time } = gateway(away);
    expect(await g.execute(request)).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(time()).toBe(3000);
  });

  it('never says that nothing was done after an answer was lost', async () => {
    const { gateway: g } = gateway(lost, away);
    expect(await g.execute(request)).toMatchObject({ ok: false, error: { code: 'unknown' } });
  });

  it('does not ask again what was refused', async () => {
    const { gateway: g, asked } = gateway(ok({ ok: false, problem: problem('conflict', 'stale') }));
    expect(await g.execute(request)).toMatchObject({ ok: false, error: { code: 'conflict' } });
    expect(asked).toHaveLength(1);
  });

  it.each([[ok('hello')], [ok({ ok: true })], [ok(null)], [ok({ ok: false, problem: 'x' })]])(
    'refuses an answer that is none: %j',
    async (answer) => {
      const { gateway: g } = gateway(answer);
      expect((await g.execute(request)).ok).toBe(false);
    },
  );

  it('waits over a change of leader, and never beyond the time asked for', async () => {
    const outcome = {
      done: true,
      lineage: LINEAGE,
      revision: 7,
      targets: 1,
      realised: ['alpha'],
      waiting: [],
    };
    const behind = { host: 'bravo', realised: 3, lastSeen: 1, reason: 'behind', exceptions: [] };
    const notYet = { ...outcome, done: false, waiting: [behind] };
    const { gateway: g, asked } = gateway(away, ok({ ok: true, outcome: notYet }), ok({ ok: true, outcome }));
    expect(await g.wait(7 as Revision, LINEAGE, 5000, 't1')).toEqual(ok(outcome));
    expect(asked.map((a) => (a as { timeoutMs: number }).timeoutMs)).toEqual([2000, 2000, 2000]);
    const { gateway: short, asked: once } = gateway(ok({ ok: true, outcome: notYet }));
    expect(await short.wait(7 as Revision, LINEAGE, 1500, 't1')).toEqual(ok(notYet));
    expect(once.map((a) => (a as { timeoutMs: number }).timeoutMs)).toEqual([1500]);
  });

  it('does not wait for hosts that are down when nobody else is missing', async () => {
    const missing = (...reasons: string[]) => {
      const waiting = reasons.map((reason, i) => ({
        host: `h${i}`,
        realised: 3,
        lastSeen: 1,
        reason,
        exceptions: [],
      }));
      return { done: false, lineage: LINEAGE, revision: 7, targets: 3, realised: ['alpha'], waiting };
    };
    const answers = [missing('down', 'behind'), missing('down')].map((outcome) => ok({ ok: true, outcome }));
    const { gateway: g, asked } = gateway(...answers);
    expect(await g.wait(7 as Revision, LINEAGE, 60_000, 't1')).toEqual(ok(missing('down')));
    expect(asked).toHaveLength(2);
  });
});
