import { beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName, type MigrationId } from '#kernel';
import { type Fact } from '#domain';
import { type MigrationOrder, type PortDocument } from '#contracts';
import { settle } from '../agent.fixture.js';
import { NoHypervisor, type Hypervisor, type MigrationOutcome, type Traffic } from './hypervisor.js';
import { Orders } from './orders.js';

const order = (action: 'start' | 'abort' = 'start', attempt = 1): MigrationOrder => ({
  migration: 'm1' as MigrationId,
  attempt,
  action,
  owner: 'vm',
  destination: 'h2' as HostName,
});

const said = (...migrations: MigrationOrder[]) => ({ host: { migrations }, ports: [] });

describe('migration orders', () => {
  let facts: Fact[];
  let done: string[];
  let say: (outcome: MigrationOutcome) => void;
  let fails: boolean;

  beforeEach(() => {
    facts = [];
    done = [];
    fails = false;
  });

  const act = (what: string): Promise<void> => {
    done.push(what);
    return fails ? Promise.reject(new Error('no answer')) : Promise.resolve();
  };
  const hypervisor = (): Hypervisor =>
    Object.assign(new NoHypervisor(), {
      kind: 'simulated' as const,
      drives: true,
      migrate: (o: MigrationOrder) => act(`migrate ${o.attempt}`),
      abort: (o: MigrationOrder) => act(`abort ${o.attempt}`),
      watch: (listener: typeof say) => {
        say = listener;
        return () => undefined;
      },
    });
  const orders = (of: Hypervisor = hypervisor()): Orders =>
    new Orders(of, (fact) => facts.push(fact), { warn: () => undefined });

  it('are given once for each attempt and action, however often the document says them', () => {
    const o = orders();
    o.follow(said(order()));
    o.follow(said(order()));
    o.follow(said(order(), order('abort')));
    o.follow(said(order('start', 2)));
    expect(done).toEqual(['migrate 1', 'abort 1', 'migrate 2']);
  });

  it('are given again when the log came back older: how they ended may be lost with it', () => {
    const o = orders();
    o.follow(said(order()));
    o.giveAgain();
    o.follow(said(order()));
    o.follow(said(order()));
    expect(done).toEqual(['migrate 1', 'migrate 1']);
  });

  it('are given again by a new run: the hypervisor looks before it acts', () => {
    orders().follow(said(order()));
    orders().follow(said(order()));
    expect(done).toEqual(['migrate 1', 'migrate 1']);
  });

  it('come with what is expected of guests that are on their way', () => {
    const heard: Traffic[] = [];
    const port = (n: number, role: PortDocument['role'], migration: string | null): PortDocument =>
      ({
        role,
        connectee: { owner: `vm${n}` },
        handover: migration === null ? null : { migration },
      }) as PortDocument;
    const arrival = { migration: 'm1' as MigrationId, attempt: 1, owner: 'vm1' };
    const of = Object.assign(hypervisor(), { expects: (traffic: Traffic) => void heard.push(traffic) });
    orders(of).follow({
      host: { migrations: [], arrivals: [arrival] },
      ports: [
        port(1, 'standby', 'm1'),
        port(1, 'standby', 'm1'),
        port(2, 'active', 'm2'),
        port(3, 'active', null),
      ],
    });
    expect(heard).toEqual([
      {
        arrivals: [arrival],
        moving: [
          { owner: 'vm1', migration: 'm1', from: false },
          { owner: 'vm2', migration: 'm2', from: true },
        ],
      },
    ]);
  });

  it('bring the hypervisor’s word as a fact', () => {
    orders();
    say({ migration: 'm1' as MigrationId, attempt: 1, outcome: 'completed' });
    expect(facts).toEqual([
      { type: 'HypervisorMigration', migration: 'm1', attempt: 1, outcome: 'completed' },
    ]);
  });

  it('are unknown when the hypervisor does not answer, and failed where it takes none', async () => {
    fails = true;
    orders().follow(said(order()));
    await settle();
    orders(new NoHypervisor()).follow(said(order()));
    expect(facts).toMatchObject([
      { outcome: 'unknown', reason: 'no answer' },
      { outcome: 'failed', reason: expect.stringContaining('can’t be asked') },
    ]);
  });
});
