import { describe, expect, it } from '@jest/globals';
import { type HostName, type Revision } from '#kernel';
import { initialState, type Command, type State } from '#domain';
import { checkDeadline, checkEvidence } from './evidence.js';

const advance = (evidence: Record<string, number>): Command =>
  ({
    type: 'AdvanceMigration',
    migration: 'm1',
    episode: 1,
    from: 'admitted',
    to: 'prepared',
    evidence,
  }) as never;
const timeOut = (episode: number): Command =>
  ({ type: 'TimeOutMigration', migration: 'm1', episode }) as never;
const state = (deadline: number | null, time = 0): State =>
  ({ ...initialState, time, migrations: new Map([['m1', { id: 'm1', episode: 2, deadline }]]) }) as never;

describe('what is put off, so that it is not remembered as refused', () => {
  const realised = (host: HostName): Revision | null =>
    host === ('h1' as HostName) ? (5 as Revision) : null;

  it('evidence that hosts have not given here', () => {
    expect(checkEvidence(advance({ h1: 5 }), realised)).toBeNull();
    expect(checkEvidence(advance({ h1: 6 }), realised)).toMatchObject({ code: 'unavailable', retry: true });
    expect(checkEvidence(advance({ h1: 5, h2: 1 }), realised)?.message).toContain('h2');
    expect(checkEvidence(timeOut(1), realised)).toBeNull();
  });

  it('time-outs before their time by this clock; those of the past are the domain’s to judge', () => {
    expect(checkDeadline(timeOut(2), state(1_000), 999, 0)).toMatchObject({
      code: 'unavailable',
      retry: true,
    });
    expect(checkDeadline(timeOut(2), state(1_000), 1_000, 0)).toBeNull();
    expect(checkDeadline(timeOut(2), state(1_000, 1_000), 999, 0)).toBeNull();
    expect(checkDeadline(timeOut(1), state(1_000), 0, 0)).toBeNull();
    expect(checkDeadline(timeOut(2), state(null), 0, 0)).toBeNull();
    expect(checkDeadline(advance({}), state(1_000), 0, 0)).toBeNull();
  });

  it('time-outs in the first moments of a term: nobody was there to hear what hosts had to say', () => {
    expect(checkDeadline(timeOut(2), state(1_000), 9_000, 10)).toMatchObject({
      code: 'unavailable',
      retry: true,
    });
    expect(checkDeadline(timeOut(2), state(1_000), 9_000, -10)).toBeNull();
    expect(checkDeadline(timeOut(1), state(1_000), 9_000, 10)).toBeNull();
  });
});
