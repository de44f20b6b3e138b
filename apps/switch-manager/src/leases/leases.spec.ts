import { beforeEach, describe, expect, it } from '@jest/globals';
import { unwrap, type HostName, type Lineage, type PortId, type Revision } from '#kernel';
import {
  ABILITIES,
  decideAndEvolve,
  initialState,
  LEASE,
  type Command,
  type DomainEvent,
  type Fact,
  type State,
} from '#domain';
import { apply, hosts, lan } from '../cluster.fixture.js';
import { leased, Leases } from './leases.js';
import { Takeovers } from './takeovers.js';

const h1 = 'h1' as HostName;
const lineage = '00000000-0000-4000-8000-000000000000' as Lineage;

class Clock {
  time = 1_000;
  timers: { readonly at: number; readonly fn: () => void }[] = [];
  monotonic = (): number => this.time;
  after = (ms: number, fn: () => void): (() => void) => {
    const timer = { at: this.time + ms, fn };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((t) => t !== timer));
  };
  async pass(ms: number): Promise<void> {
    for (const until = this.time + ms; this.time < until;) {
      this.time += 500;
      const due = this.timers.filter((t) => t.at <= this.time);
      this.timers = this.timers.filter((t) => t.at > this.time);
      for (const { fn } of due) fn();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const guest = { mac: '02:00:00:00:00:01', profile: 'web', owner: 'vm1', kind: 'vm', switch: 'lan' } as const;
const plug: Fact = { type: 'InterfacePlugged', interface: { ifaceId: 'if-1', ...guest } };

/** The state, a command at a time. */
class World {
  state: State = initialState;
  suspects: readonly HostName[] = [];
  #seq = 0;

  do(command: Command): readonly DomainEvent[] {
    const meta = { revision: (this.state.revision + 1) as Revision, lineage, time: 1 };
    const done = unwrap(decideAndEvolve(this.state, command, { now: 1, actor: 'spec' }, meta));
    this.state = done.state;
    return done.events;
  }

  group(partitionPolicy: 'keep' | 'isolate'): void {
    const spec = { switch: 'lan', ports: 2, partitionPolicy };
    this.do(apply({ kind: 'PortGroup', name: 'web', spec }));
  }

  facts(host: string, fact: Fact): readonly DomainEvent[] {
    const facts = [{ seq: (this.#seq += 1), at: 1, fact }];
    const { suspects } = this;
    return this.do({
      type: 'IngestFacts',
      host: host as HostName,
      boot: 'b',
      facts,
      suspects,
      abilities: ABILITIES,
    });
  }
}

let clock: Clock;
let leases: Leases;
let w: World;
const ask = (realised: number = w.state.revision, of = lineage) =>
  leases.grant(
    { schema: 1, host: h1, boot: 'b', lineage: of, realised: realised as Revision },
    w.state,
    lineage,
  );

beforeEach(() => {
  clock = new Clock();
  leases = new Leases(clock);
  w = new World();
  w.do(apply(...hosts('h1', 'h2'), ...lan('h1', 'h2')));
  w.group('isolate');
  w.facts('h1', plug);
  w.do({ type: 'RecordRealised', upTo: w.state.revision, hosts: 2 });
});

describe('leases of hosts', () => {
  it('are over so long after the last grant, or since this leader began', async () => {
    expect(leases.left(h1)).toBe(LEASE.boundMs);
    await clock.pass(10_000);
    expect(ask().ok).toBe(true);
    expect(leases.left(h1)).toBe(LEASE.boundMs);
    await clock.pass(LEASE.boundMs);
    expect(leases.left(h1)).toBe(0);
    leases.begin();
    expect(leases.left(h1)).toBe(LEASE.boundMs);
  });

  it('that another granted count for as long after the beginning as it may take itself for the leader', async () => {
    leases = new Leases(clock, () => 1_800);
    leases.begin();
    expect(leases.left(h1)).toBe(LEASE.boundMs + 1_800);
    // What it grants itself is known from then on.
    expect(ask().ok).toBe(true);
    expect(leases.left(h1)).toBe(LEASE.boundMs + 1_800);
    await clock.pass(5_000);
    expect(ask().ok).toBe(true);
    expect(leases.left(h1)).toBe(LEASE.boundMs);
  });

  it('are granted to hosts that know all that was taken from them, while nothing is being', async () => {
    expect(ask(0).ok).toBe(true);
    expect(ask(0, 'another' as Lineage)).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    w.suspects = [h1];
    w.facts('h2', plug);
    w.do({ type: 'TakeOver', host: h1, reason: 'silent' });
    expect(ask(w.state.revision - 1)).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(ask().ok).toBe(true);
    await leases.sealed(h1, () => Promise.resolve(expect(ask().ok).toBe(false)));
    expect(ask().ok).toBe(true);
    const stranger = {
      schema: 1,
      host: 'x' as HostName,
      boot: 'b',
      lineage,
      realised: 1 as Revision,
    } as const;
    expect(leases.grant(stranger, w.state, lineage)).toMatchObject({ error: { code: 'not-found' } });
  });

  it('tell soon that a host is silent, of those that ask', async () => {
    await clock.pass(20_000);
    expect(leases.isSilent(h1)).toBe(false);
    ask();
    await clock.pass(LEASE.silentMs);
    leases.heard(h1);
    await clock.pass(LEASE.silentMs);
    expect(leases.isSilent(h1)).toBe(false);
    await clock.pass(500);
    expect(leases.isSilent(h1)).toBe(true);
    // The next leader, too: who asked before is to ask it.
    leases.begin(leased(w.state));
    expect(leases.isSilent(h1)).toBe(false);
    await clock.pass(LEASE.silentMs + 500);
    expect([leases.isSilent(h1), leases.isSilent('h2' as HostName)]).toEqual([true, false]);
    w.group('keep');
    leases.begin(leased(w.state));
    leases.heard(h1);
    await clock.pass(20_000);
    expect(leases.isSilent(h1)).toBe(false);
  });
});

describe('takeovers', () => {
  const p1 = 'p1' as PortId;
  let suspect: boolean;
  let taken: [host: HostName, at: number][];
  let works: boolean;
  let realised: Revision | null;
  let takeovers: Takeovers;
  const committed = (events: readonly DomainEvent[]): void => takeovers.committed(events);

  beforeEach(() => {
    [suspect, taken, works] = [true, [], true];
    realised = null;
    takeovers = new Takeovers({
      clock,
      leases,
      isSuspect: () => suspect,
      state: (): State => w.state,
      realised: () => realised,
      takeOver: (host, reason) => {
        taken.push([host, clock.time]);
        expect(ask().ok).toBe(false);
        const known = realised === null ? {} : { realised };
        if (works) w.do({ type: 'TakeOver', host, reason, ...known });
        return Promise.resolve(works);
      },
    });
  });
  const claims = (): void => {
    w.suspects = [h1];
    committed(w.facts('h2', plug));
  };

  it('happen when the switch has certainly closed what others wait for, and not before', async () => {
    ask();
    const granted = clock.time;
    await clock.pass(8_000);
    claims();
    await clock.pass(LEASE.boundMs - 8_500);
    expect(taken).toEqual([]);
    await clock.pass(500);
    expect(taken).toEqual([[h1, granted + LEASE.boundMs]]);
    expect(w.state.ports.get(p1)?.active?.host).toBe('h2');
    await clock.pass(60_000);
    expect(taken).toHaveLength(1);
    expect(clock.timers).toEqual([]);
  });

  it('happen at once where that is long ago, and again when they could not be decided', async () => {
    await clock.pass(60_000);
    works = false;
    claims();
    await clock.pass(1_000);
    expect(taken.length).toBeGreaterThan(0);
    works = true;
    await clock.pass(1_500);
    expect(w.state.ports.get(p1)?.active?.host).toBe('h2');
  });

  it('wait for a host that is heard of, or was granted a lease again', async () => {
    claims();
    suspect = false;
    await clock.pass(30_000);
    expect(taken).toEqual([]);
    suspect = true;
    ask();
    await clock.pass(LEASE.boundMs - 500);
    expect(taken).toEqual([]);
    await clock.pass(2_000);
    expect(taken).toHaveLength(1);
  });

  it('go on under another leader, a whole lease after it began, and end with its term', async () => {
    claims();
    takeovers.close();
    await clock.pass(60_000);
    expect(taken).toEqual([]);
    leases.begin();
    const again = new Takeovers({
      clock,
      leases,
      isSuspect: () => true,
      state: () => w.state,
      realised: () => null,
      takeOver: (host) => Promise.resolve(taken.push([host, clock.time]) > 9),
    });
    again.begin();
    await clock.pass(LEASE.boundMs - 500);
    expect(taken).toEqual([]);
    await clock.pass(500);
    expect(taken).toHaveLength(1);
    again.close();
  });

  it('wait until the host knows that its group isolates, by its own word or by what all have realised', async () => {
    for (const knows of [
      () => (realised = w.state.revision),
      () => committed(w.do({ type: 'RecordRealised', upTo: w.state.revision, hosts: 2 })),
    ]) {
      w = new World();
      w.do(apply(...hosts('h1', 'h2'), ...lan('h1', 'h2')));
      [realised, taken, w.suspects] = [null, [], [h1]];
      w.group('keep');
      w.facts('h1', plug);
      w.group('isolate');
      claims();
      await clock.pass(60_000);
      expect([taken, w.state.ports.get(p1)?.active?.host]).toEqual([[], 'h1']);
      w.do({ type: 'TakeOver', host: h1, reason: 'too soon' });
      expect(w.state.ports.get(p1)?.active?.host).toBe('h1');
      knows();
      takeovers.begin();
      await clock.pass(1_000);
      expect(w.state.ports.get(p1)?.active?.host).toBe('h2');
    }
  });

  it('are not for groups that keep', async () => {
    w.group('keep');
    claims();
    await clock.pass(60_000);
    expect([taken, clock.timers]).toEqual([[], []]);
  });
});
