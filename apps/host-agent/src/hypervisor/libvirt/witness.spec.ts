import { beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName, type MigrationId } from '#kernel';
import { type MigrationOutcome } from '../hypervisor.js';
import { type Presence, Witness } from './witness.js';

const m1 = 'm1' as MigrationId;
const awaited = { owner: 'web', migration: m1, from: false };
const leaving = { ...awaited, from: true };

describe('what libvirt knows of moves that it was not asked for', () => {
  let presence: Presence;
  let ordered: boolean;
  let told: MigrationOutcome[];
  let witness: Witness;

  beforeEach(() => {
    [presence, ordered, told] = ['unknown', false, []];
    witness = new Witness({
      presence: () => presence,
      isOrdered: () => ordered,
      isTheirs: () => false,
      tell: (outcome) => void told.push(outcome),
    });
  });

  const becomes = (now: Presence): void => {
    presence = now;
    witness.look();
  };

  it('is told once when an awaited guest runs here', () => {
    witness.follow({ arrivals: [], moving: [awaited] });
    becomes('left');
    expect(told).toEqual([]);
    becomes('runs');
    witness.follow({ arrivals: [], moving: [awaited] });
    expect(told).toEqual([{ migration: m1, attempt: 0, outcome: 'completed' }]);
  });

  it('is told of the attempt that the guest was sent by, though that is no more awaited', () => {
    witness.follow({ arrivals: [{ migration: m1, attempt: 3, owner: 'web' }], moving: [awaited] });
    witness.follow({ arrivals: [], moving: [awaited] });
    becomes('runs');
    expect(told).toMatchObject([{ attempt: 3 }]);
  });

  it('is told once when a guest has left that somebody sends away', () => {
    becomes('runs');
    witness.follow({ arrivals: [], moving: [leaving] });
    expect(told).toEqual([]);
    becomes('left');
    becomes('left');
    expect(told).toEqual([{ migration: m1, attempt: 0, outcome: 'completed' }]);
  });

  it('is for how long a guest stood still that left, by whoever’s wish, when nothing else is said of it any more', () => {
    const order = { migration: m1, attempt: 2, owner: 'web', destination: 'south' as HostName };
    witness.sent([{ ...order, action: 'start' }]);
    witness.follow({
      arrivals: [],
      moving: [leaving, { ...leaving, owner: 'db', migration: 'm2' as MigrationId }],
    });
    witness.follow({ arrivals: [], moving: [] });
    witness.paused(['uuid-of-web', 'web'], 93);
    witness.paused(['uuid-of-db', 'db'], 7);
    witness.paused(['another'], 1);
    expect(told).toEqual([
      { ...order, outcome: 'completed', pauseMs: 93 },
      { migration: 'm2', attempt: 0, outcome: 'completed', pauseMs: 7 },
    ]);
  });

  it('is nothing of guests that stay, nor of an order, whose carrying out is listened to', () => {
    becomes('runs');
    becomes('left');
    ordered = true;
    witness.follow({ arrivals: [], moving: [leaving] });
    expect(told).toEqual([]);
  });
});
