import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap } from '#kernel';
import * as any from './arbitraries.fixture.js';
import { inRound } from './cookie.js';
import { actionsKey, flowKey, sameFlow, sameGroup } from './identity.js';
import { decode } from './wire/decode.js';
import { encode } from './wire/encode.js';

describe('identity and equality of flows', () => {
  it('hold across the wire', () => {
    fc.assert(
      fc.property(any.flow, (flow) => {
        const { message } = unwrap(decode(encode({ kind: 'flow-mod', command: 'add', flow }, 1)));
        if (message.kind !== 'flow-mod' || message.command !== 'add') throw new Error('another message');
        expect(flowKey(message.flow)).toBe(flowKey(flow));
        expect(sameFlow(flow, message.flow)).toBe(true);
      }),
    );
  });

  it('do not hang on the order of fields, nor on masks that say nothing', () => {
    const a = {
      in_port: { value: 1n },
      reg1: { value: 2n, mask: 0xffffffffn },
      reg2: { value: 0n, mask: 0n },
    };
    const b = { reg1: { value: 2n }, in_port: { value: 1n } };
    expect(flowKey({ table: 1, priority: 2, match: a })).toBe(flowKey({ table: 1, priority: 2, match: b }));
  });

  it('tell different actions apart', () => {
    fc.assert(
      fc.property(any.actions, any.actions, (a, b) => {
        const same = (() => {
          try {
            expect(a).toEqual(b);
            return true;
          } catch {
            return false;
          }
        })();
        if (same) expect(actionsKey(a)).toBe(actionsKey(b));
        else if (!JSON.stringify(kinds(a)).includes('learn')) expect(actionsKey(a)).not.toBe(actionsKey(b));
      }),
    );
  });

  it('see no difference in the round, also of what a flow learns', () => {
    const cookie = 0x5e71_0001_0600_0001n;
    const learn = {
      kind: 'learn',
      table: 7,
      priority: 1,
      cookie,
      idleTimeout: 0,
      hardTimeout: 0,
      specs: [],
    } as const;
    const flow = { table: 0, priority: 1, match: {}, actions: [learn], cookie: 0x5e70_0001_0600_0001n };
    const later = { ...flow, actions: [{ ...learn, cookie: inRound(cookie, 2) }] };
    expect(sameFlow(flow, later)).toBe(true);
  });

  it('never take what could not be read for what is wanted', () => {
    const flow = { table: 0, priority: 1, match: {}, actions: [], cookie: 1n };
    expect(sameFlow(flow, { ...flow, opaque: 'instruction 3' })).toBe(false);
    const group = { id: 1, type: 'all', buckets: [] } as const;
    expect(sameGroup(group, { ...group, opaque: 'x' })).toBe(false);
  });
});

const kinds = (actions: readonly { kind: string; actions?: readonly { kind: string }[] }[]): unknown[] =>
  actions.map((a) => [a.kind, a.actions === undefined ? [] : kinds(a.actions)]);
