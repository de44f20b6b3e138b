import { describe, expect, it } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { unwrap } from '#kernel';
import { counterIds, instantClock, rules, type Account } from './fixtures.js';
import { InMemoryLog } from './in-memory-log.js';
import { openSequencer } from './open-sequencer.js';
import { Replica } from './replica.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a sequencer that lasts', () => {
  it('does not keep the state that it was made of', async () => {
    const note = async () => {
      const log = new InMemoryLog();
      const began: Account = { balance: 0, notes: ['what once was'] };
      const sequencer = unwrap(
        await openSequencer({
          log,
          rules,
          clock: instantClock(),
          ids: counterIds(1),
          cluster: 'lab',
          actor: 'test',
          onFault: (cause) => {
            throw cause;
          },
          onEnd: () => undefined,
          from: { ...new Replica(rules).capture(), state: began },
        }),
      );
      unwrap(
        await sequencer.submit({ commandId: 'c1', actor: 'ann', command: { kind: 'note', text: 'more' } }),
      );
      return { sequencer, began: new WeakRef(began) };
    };
    const { sequencer, began } = await note();
    // What was looked at in this turn is kept until its end.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(sequencer.state.notes).toEqual(['what once was', 'more']);
    expect(began.deref()).toBeUndefined();
  });
});
