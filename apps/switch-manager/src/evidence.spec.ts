import { describe, expect, it } from '@jest/globals';
import { type HostName, type Revision } from '#kernel';
import { type Command } from '#domain';
import { checkEvidence } from './evidence.js';

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
});
