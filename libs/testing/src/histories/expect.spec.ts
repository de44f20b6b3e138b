import { beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { expectHistory, type ExpectedHistory } from './expect.js';
import { replayHistory, type History } from './replay.js';

const recorded = (name: string): Promise<History> =>
  replayHistory(join('test', 'histories', `${name}.ndjson`));

describe('what is expected of a history', () => {
  let completed: History;
  let aborted: History;
  let manifold: History;
  beforeAll(async () => {
    completed = await recorded('completed');
    aborted = await recorded('aborted');
    manifold = await recorded('back-and-forth');
  });

  const fault = (history: History, expected: ExpectedHistory): string => {
    try {
      expectHistory(history, expected);
    } catch (error) {
      return (error as Error).message;
    }
    return 'as expected';
  };

  it('is met by what it says, as far as it says anything', () => {
    expectHistory(completed);
    expectHistory(completed, {
      'web-1': {
        migrations: [
          {
            origin: 'operator',
            destination: 'bravo',
            phase: 'completed',
            phases: ['admitted', 'prepared', 'moving', 'switched', 'completed'],
            handedOver: { exact: true },
          },
        ],
        ledger: { inexact: 0, open: 1 },
        host: 'bravo',
      },
      'db-1': { migrations: [] },
    });
    expectHistory(aborted, {
      'web-1': { migrations: [{ reason: /cannot reach/, handedOver: null }], host: 'alpha' },
    });
  });

  it('knows what a source handed over of what its guest sent', () => {
    const packets = manifold.migrations.map((m) => m.handedOver?.in ?? -1);
    const ledger = manifold.ledgers.find((l) => l.owner === 'web-1');
    expect(packets.every((n) => n > 0)).toBe(true);
    expect(packets.reduce((a, b) => a + b, 0)).toBe(ledger?.in);
  });

  it('says everything that differs, with the way that a migration went', () => {
    const expected: ExpectedHistory = {
      'web-1': {
        migrations: [{ phase: 'completed', destination: 'bravo', reason: /no room/ }],
        ledger: { in: 12 },
        host: 'bravo',
      },
    };
    expect(fault(aborted, expected)).toBe(
      [
        'the history of 16 commits, up to revision 16, is not as expected:',
        '  web-1, migration 1 (m1, alpha to bravo): phase is aborted, expected completed',
        '  web-1, migration 1 (m1, alpha to bravo): reason is cannot reach the destination: The operation was aborted, expected /no room/',
        '      it went admitted → prepared → moving → aborting → aborted (cannot reach the destination: The operation was aborted)',
        '  web-1: ledger.in is 0, expected 12',
        '  web-1: host is alpha, expected bravo',
      ].join('\n'),
    );
  });

  it('says how many migrations there are, and which guests', () => {
    expect(fault(completed, { 'web-1': { migrations: [] } })).toMatch(
      /web-1: 1 migrations, expected 0:\n {6}m1, alpha to bravo: admitted → /,
    );
    expect(fault(completed, { 'web-9': {} })).toContain('web-9: no such guest; there are db-1, web-1, web-2');
  });

  it('finds what must always hold, asked or not', () => {
    const broken = {
      ...completed,
      broken: [{ revision: completed.revision, what: 'port p1 has two hosts' }],
    };
    expect(fault(broken, {})).toContain(`at revision ${completed.revision}: port p1 has two hosts`);
  });
});
