import { describe, expect, it } from '@jest/globals';
import { initialState, type State } from '#domain';
import { intentRevision } from './host.js';

describe('the revision that hosts are measured by', () => {
  const at = (revision: number, version: number): State =>
    ({ ...initialState, revision, hosts: new Map([['alpha', { version }]]) }) as unknown as State;

  it('is the newest change of what is wanted, and never one that the log does not have', () => {
    expect(intentRevision(at(30, 25))).toBe(25);
    // The log came back older: versions are of a lineage that is no more.
    expect(intentRevision(at(8, 25))).toBe(8);
  });
});
