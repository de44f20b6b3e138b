import { describe, expect, it } from '@jest/globals';
import { type HostName } from '#kernel';
import { UnreadReports } from './unread-reports.js';

const [a, b] = ['a', 'b'] as HostName[];
const bytes = (n: number): Uint8Array => Uint8Array.of(n);

describe('reports that a standby keeps', () => {
  it('are the last of each host, and are handed over once', () => {
    const unread = new UnreadReports({ monotonic: () => 0 });
    unread.put(a!, bytes(1));
    unread.put(b!, bytes(2));
    unread.put(a!, bytes(3));
    expect(unread.take()).toEqual([
      [a, bytes(3)],
      [b, bytes(2)],
    ]);
    expect(unread.take()).toEqual([]);
  });

  it('are not those of a host that has been silent: it may be gone', () => {
    let now = 0;
    const unread = new UnreadReports({ monotonic: () => now });
    unread.put(a!, bytes(1));
    now = 5_000;
    unread.put(b!, bytes(2));
    now = 7_000;
    expect(unread.take()).toEqual([[b, bytes(2)]]);
  });
});
