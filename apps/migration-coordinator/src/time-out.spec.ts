import { describe, expect, it } from '@jest/globals';
import { initialState, type Migration } from '#domain';
import { propose } from './propose.js';

const DEADLINE = 1_000_000;
const moving = {
  id: 'm1',
  episode: 3,
  phase: 'moving',
  deadline: DEADLINE,
  ports: [],
} as unknown as Migration;
const idAt = (now: number) => propose({ state: initialState, reports: new Map(), now }, moving)?.commandId;

describe('a time-out that is proposed too early by the sequencer’s clock', () => {
  it('is proposed again under another id: the refusal stands under the first', () => {
    expect(idAt(DEADLINE + 1)).toBe(idAt(DEADLINE + 1_000));
    expect(idAt(DEADLINE + 5_000)).not.toBe(idAt(DEADLINE + 1));
  });
});
