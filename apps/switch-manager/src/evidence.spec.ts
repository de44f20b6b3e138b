import { describe, expect, it } from '@jest/globals';
import { type HostName, type Revision } from '#kernel';
import { type Command } from '#domain';
import { checkDeath, checkEvidence } from './evidence.js';

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

describe('what is put off, so that it is not remembered as refused', () => {
  const realised = (host: HostName): Revision | null =>
    host === ('h1' as HostName) ? (5 as Revision) : null;

  it('evidence that hosts have not given here', () => {
    expect(checkEvidence(advance({ h1: 5 }), realised)).toBeNull();
    expect(checkEvidence(advance({ h1: 6 }), realised)).toMatchObject({ code: 'unavailable', retry: true });
    expect(checkEvidence(advance({ h1: 5, h2: 1 }), realised)?.message).toContain('h2');
    expect(checkEvidence(timeOut(1), realised)).toBeNull();
  });

  it('the death of a host that is heard of', () => {
    const isDown = (host: HostName): boolean => host === ('h2' as HostName);
    const word = (host: string, dead?: boolean): Command =>
      ({ type: 'GiveUpCounters', host, reason: 'burnt', ...(dead === undefined ? {} : { dead }) }) as never;
    expect(checkDeath(word('h1', true), isDown)).toMatchObject({
      code: 'refused',
      details: [{ value: 'h1' }],
    });
    expect(checkDeath(word('h2', true), isDown)).toBeNull();
    expect(checkDeath(word('h1'), isDown)).toBeNull();
    expect(checkDeath(timeOut(1), isDown)).toBeNull();
    expect(checkDeath({ ...word('h1', true), fenced: true } as never, isDown)).toBeNull();
    expect(checkDeath({ type: 'TakeOver', host: 'h2', reason: 'x' } as never, isDown)).toMatchObject({
      code: 'refused',
    });
  });
});
