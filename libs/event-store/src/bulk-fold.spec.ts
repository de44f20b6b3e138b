import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ok, unwrap } from '#kernel';
import { type Decider } from './decider.js';
import { counterIds, instantClock, sha256 } from './fixtures.js';
import { InMemoryLog } from './in-memory-log.js';
import { catchUp } from './load.js';
import { openSequencer } from './open-sequencer.js';
import { replay } from './replay.js';
import { Replica } from './replica.js';
import { type StoredMessage } from './commit-log.js';
import { flatCodec, Upcasters } from './upcasters.js';

// A state that is changed in place while it is thawed, and that can break half-way through a commit.

interface Sums {
  readonly thawed: boolean;
  readonly sums: readonly number[];
}
interface Added {
  readonly type: 'Added';
  readonly n: number;
}

let broken = NaN;
const upcasters = new Upcasters({ Added: 1 });
const decider: Decider<Sums, readonly number[], Added> = {
  initial: { thawed: false, sums: [] },
  decide: (_state, command) => ok(command.map((n) => ({ type: 'Added', n }))),
  evolve(state, { n }) {
    if (n === broken) throw new Error('does not fit');
    if (!state.thawed) return { ...state, sums: [...state.sums, n] };
    (state.sums as number[]).push(n);
    return state;
  },
  bulk: {
    thaw: ({ sums }) => ({ thawed: true, sums: [...sums] }),
    freeze: (state) => ({ ...state, thawed: false }),
  },
};
const rules = { decider, codec: flatCodec<Added>(upcasters), upcasters, hash: sha256 };

async function written(commits: readonly (readonly number[])[]): Promise<[InMemoryLog, StoredMessage[]]> {
  const log = new InMemoryLog();
  const base = { log, rules, clock: instantClock(), ids: counterIds(3), cluster: 'lab', actor: 'test' };
  const onFault = (cause: unknown): never => {
    throw cause;
  };
  const leader = unwrap(await openSequencer({ ...base, onFault }));
  for (const [i, command] of commits.entries())
    unwrap(await leader.submit({ commandId: `c${i}`, actor: 'ann', command }));
  const messages: StoredMessage[] = [];
  for await (const batch of log.read(1)) messages.push(...batch);
  return [log, messages];
}

const commits = fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }), { maxLength: 12 });

describe('reading in bulk', () => {
  it('comes to what reading one by one comes to, also before an event that does not fit', async () => {
    await fc.assert(
      fc.asyncProperty(commits, fc.nat(20), fc.nat(12), async (all, bad, from) => {
        const [log, messages] = await written(all);
        broken = bad;
        try {
          const one = new Replica(rules);
          let stop: unknown;
          for (const message of messages.slice(0, from)) if (!one.apply(message).ok) break;
          const bulk = new Replica(rules, one.capture());
          const before = JSON.stringify(bulk.state);
          const held = bulk.state;
          for (const message of messages.slice(one.head.seq)) {
            const applied = one.apply(message);
            if (applied.ok) continue;
            stop = applied.error;
            break;
          }
          const caughtUp = await catchUp(log, bulk);
          expect(caughtUp.ok ? undefined : caughtUp.error).toEqual(stop);
          expect(bulk.capture()).toEqual(one.capture());
          expect(JSON.stringify(held)).toBe(before);
          const told = replay(messages, rules, undefined, () => undefined);
          expect(replay(messages, rules)).toEqual(told);
        } finally {
          broken = NaN;
        }
      }),
    );
  });

  it('hands out states that stay as they are', async () => {
    const [, messages] = await written([[1], [2], [3]]);
    const replica = new Replica(rules);
    for (const message of messages.slice(0, 3)) unwrap(replica.fold(message) as never);
    const held = replica.state;
    expect(held).toEqual({ thawed: false, sums: [1, 2] });
    unwrap(replica.fold(messages[3]!) as never);
    expect(held.sums).toEqual([1, 2]);
    expect(replica.state).toEqual({ thawed: false, sums: [1, 2, 3] });
  });

  it('freezes on the way in a long log, and goes back no further when an event does not fit', async () => {
    const [log] = await written([...Array.from({ length: 2100 }, () => [1]), [2, 99]]);
    broken = 99;
    try {
      const replica = new Replica(rules);
      expect(await catchUp(log, replica)).toMatchObject({ ok: false, error: { seq: 2102 } });
      expect(replica.state.sums).toHaveLength(2100);
      broken = NaN;
      unwrap((await catchUp(log, replica)) as never);
      expect(replica.state.sums).toHaveLength(2102);
    } finally {
      broken = NaN;
    }
  });
});
