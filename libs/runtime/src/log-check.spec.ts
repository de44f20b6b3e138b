import { describe, expect, it } from '@jest/globals';
import { storeCheck } from './log-check.js';

describe('whether the message server answers for the log', () => {
  it.each([
    ['it does', () => Promise.resolve(7), { ok: true }],
    [
      'it says nothing',
      () => new Promise<number>(() => undefined),
      { ok: false, reason: expect.stringMatching(/no answer within 10 ms.*disk may be full/) },
    ],
    [
      'it says that it can’t',
      () => Promise.reject(new Error('JetStream not enabled')),
      { ok: false, reason: expect.stringMatching(/JetStream not enabled.*disk may be full/) },
    ],
  ])('%s', async (_what, last, found) => {
    expect(await storeCheck({ last }, 10)()).toMatchObject(found);
  });
});
