import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { node, ROOT } from './cluster.fixture.js';

/** CHANGES=100000 is the nightly size; SEED another life. */
const CHANGES = process.env['CHANGES'] ?? '1000';
const SEED = process.env['SEED'] ?? '1';
const PROGRAM = join(ROOT, 'dist', 'test', 'simulator', 'lifetime', 'main.js');

describe('a cluster that lived', () => {
  it(`through ${CHANGES} changes and is empty again holds what it held at first`, async () => {
    const ran = await node(['--max-semi-space-size=64', PROGRAM, '--changes', CHANGES, '--seed', SEED]);
    if (ran.code !== 0) throw new Error(ran.out + ran.err);
    expect(ran.out).toContain('nothing is more than it was');
  }, 7_200_000);
});
