import { describe, expect, it } from '@jest/globals';
import { type MigrationOrder } from '#contracts';
import { Holds } from './holds.js';

const order = (held: boolean, action: MigrationOrder['action'] = 'start'): MigrationOrder =>
  ({
    migration: 'm1',
    attempt: 1,
    owner: 'web',
    destination: 'b',
    action,
    ...(held ? { held } : {}),
  }) as never;

const settled = async (it: Promise<void>): Promise<boolean> => {
  let is = false;
  void it.then(() => (is = true));
  await new Promise(setImmediate);
  return is;
};

describe('an order that is held', () => {
  it('goes on when it is held no more', async () => {
    const holds = new Holds();
    const ready = holds.ready(order(true));
    holds.standing([order(true)]);
    expect(await settled(ready)).toBe(false);
    holds.standing([order(false)]);
    expect(await settled(ready)).toBe(true);
  });

  it('ends when it is called off, or stands no more', async () => {
    const holds = new Holds();
    const called = holds.ready(order(true));
    holds.standing([order(false, 'abort')]);
    await expect(called).rejects.toThrow('called off');
    const gone = holds.ready(order(true));
    holds.standing([]);
    await expect(gone).rejects.toThrow('called off');
  });

  it('is one, however often it is given', async () => {
    const holds = new Holds();
    const [first, again] = [holds.ready(order(true)), holds.ready(order(true))];
    holds.standing([order(false)]);
    expect(await settled(Promise.all([first, again]).then(() => undefined))).toBe(true);
  });

  it('that never was need not wait', async () => {
    expect(await settled(new Holds().ready(order(false)))).toBe(true);
  });
});
