import { beforeEach, describe, expect, it } from '@jest/globals';
import { type HostName, type MigrationId } from '#kernel';
import { type Fact } from '#domain';
import { type MigrationOrder } from '#contracts';
import { settle } from '../agent.fixture.js';
import { NoHypervisor, type Hypervisor, type MigrationOutcome } from './hypervisor.js';
import { Orders } from './orders.js';

const order = (action: 'start' | 'abort' = 'start', attempt = 1): MigrationOrder => ({
  migration: 'm1' as MigrationId,
  attempt,
  action,
  owner: 'vm',
  destination: 'h2' as HostName,
});

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
    o.follow([order()]);
    o.follow([order()]);
    o.follow([order(), order('abort')]);
    o.follow([order('start', 2)]);
    expect(done).toEqual(['migrate 1', 'abort 1', 'migrate 2']);
  });

  it('are given again when the log came back older: how they ended may be lost with it', () => {
    const o = orders();
    o.follow([order()]);
    o.giveAgain();
    o.follow([order()]);
    o.follow([order()]);
    expect(done).toEqual(['migrate 1', 'migrate 1']);
  });

  it('are given again by a new run: the hypervisor looks before it acts', () => {
    orders().follow([order()]);
    orders().follow([order()]);
    expect(done).toEqual(['migrate 1', 'migrate 1']);
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
    orders().follow([order()]);
    await settle();
    orders(new NoHypervisor()).follow([order()]);
    expect(facts).toMatchObject([
      { outcome: 'unknown', reason: 'no answer' },
      { outcome: 'failed', reason: expect.stringContaining('can’t be asked') },
    ]);
  });
});
