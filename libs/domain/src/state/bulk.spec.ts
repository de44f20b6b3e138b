import { describe, expect, it } from '@jest/globals';
import { List, Map } from 'immutable';
import { type PortId } from '#kernel';
import { type Port } from '../model/state.js';
import { keepDeleted } from '../port/deleted.js';
import { freeze, thaw } from './bulk.js';
import { initialState } from './initial.js';
import { type Next } from './next.js';

const port = (n: number, version = n): Port => ({ id: `p${n}`, version, epoch: 1, deleted: true }) as never;

describe('a state that is changed in place', () => {
  it('keeps the order of what was deleted, wherever the next one belongs', () => {
    const all = [1, 2, 3].map((n) => port(n));
    const state = {
      ...initialState,
      ports: Map([...all, port(4), port(0, 3)].map((p) => [p.id, p])),
      deleted: List(all.map((p) => p.id)),
    };
    const next = thaw(state) as Next;
    keepDeleted(next, port(4));
    keepDeleted(next, port(0, 3));
    const order: PortId[] = ['p1', 'p2', 'p0', 'p3', 'p4'] as never;
    expect(freeze(next).deleted.toArray()).toEqual(order);
    expect(state.deleted.size).toBe(3);
  });
});
