import { expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filled } from '../lab/chaos/page.js';

const PAGE = join('docs', 'migration-faults.md');

/** To accept another outcome on purpose, run with PORTOLAN_WRITE_PAGES=1; the page's diff is what is reviewed. */
it('the page of outcomes says what the lab holds real guests to', () => {
  const page = (): string => readFileSync(PAGE, 'utf8');
  const now = filled(page());
  if (process.env['PORTOLAN_WRITE_PAGES'] !== undefined) writeFileSync(PAGE, now);
  expect(now).toContain('| the source’s agent ');
  expect(page()).toBe(now);
});
