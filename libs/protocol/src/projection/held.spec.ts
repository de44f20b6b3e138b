import { describe, expect, it } from '@jest/globals';
import { unwrap, type Epoch, type HostName, type MigrationId, type PortId, type Revision } from '#kernel';
import { ABILITIES, decideAndEvolve, initialState, validateResource, type Command, type Fact } from '#domain';
import { type HostDocument, type StateDocument } from '#contracts';
import { handoverToken } from '../simulation/token.js';
import { lineageOf } from '../simulation/world.js';
import { project, withChanges } from './project.js';

const lineage = lineageOf(1);

/** A cluster a command at a time, with the documents that follow from it. */
class World {
  state = initialState;
  documents: ReadonlyMap<string, StateDocument> = new Map();
  #seq = 0;

  do(command: Command): void {
    const meta = { revision: (this.state.revision + 1) as Revision, lineage, time: 1 };
    const before = this.state;
    const { state, events } = unwrap(decideAndEvolve(before, command, { now: 1, actor: 'spec' }, meta));
    this.state = state;
    const changes = project(before, state, events, new Map(this.documents), handoverToken);
    this.documents = withChanges(new Map(this.documents), changes);
  }

  apply(...resources: object[]): void {
    this.do({ type: 'Apply', resources: resources.map((r) => unwrap(validateResource(r))) });
  }

  fact(host: string, fact: Fact, abilities?: readonly string[]): void {
    const facts = [{ seq: (this.#seq += 1), at: 1, fact }];
    const able = abilities === undefined ? {} : { abilities };
    this.do({ type: 'IngestFacts', host: host as HostName, boot: host, facts, ...able });
  }

  /** Whether the source is to wait, of its order; undefined: it has none. */
  get held(): boolean | undefined {
    const { migrations: [order] = [] } = this.documents.get('h.h1.host') as HostDocument;
    return order && order.held === true;
  }
}

const inventory: Fact = { type: 'Inventory', interfaces: [] };

/** The guest is on its way from h1 to h2. */
function moving(): { readonly w: World; readonly migration: MigrationId; readonly epoch: Epoch } {
  const w = new World();
  const hosts = ['h1', 'h2'];
  w.apply(
    ...hosts.map((name) => ({ kind: 'Host', name, spec: {} })),
    {
      kind: 'DistributedSwitch',
      name: 'lan',
      spec: { uplinks: ['u'], members: { h1: { u: 'eth0' }, h2: { u: 'eth0' } } },
    },
    { kind: 'PortGroup', name: 'web', spec: { switch: 'lan', ports: 1 } },
  );
  const iface = {
    ifaceId: 'i',
    mac: '02:00:00:00:00:01',
    profile: 'web',
    owner: 'vm',
    kind: 'vm',
  } as const;
  w.fact('h1', { type: 'InterfacePlugged', interface: { ...iface, switch: 'lan' } });
  w.do({ type: 'StartMigration', owner: 'vm', destination: 'h2' as HostName });
  const migration = w.state.migrations.keys().next().value as MigrationId;
  for (const from of ['admitted', 'prepared'] as const) {
    const to = from === 'admitted' ? 'prepared' : 'moving';
    const { revision } = w.state;
    const evidence = { h1: revision, h2: revision };
    const { episode } = w.state.migrations.get(migration)!;
    w.do({ type: 'AdvanceMigration', migration, episode, from, to, evidence } as Command);
  }
  const { epoch } = w.state.ports.get('p1' as PortId)!.standby!;
  return { w, migration, epoch };
}

describe('an order to send a guest', () => {
  it('is held until its destination says that it is ready, where that is an agent that says so', () => {
    const { w, epoch } = moving();
    expect(w.held).toBe(false);
    w.fact('h2', inventory, ABILITIES);
    expect(w.held).toBe(true);
    w.fact('h2', inventory);
    expect(w.held).toBe(false);
    w.fact('h2', inventory, ABILITIES);
    w.fact('h2', { type: 'StandbyReady', port: 'p1' as PortId, epoch, ready: true }, ABILITIES);
    expect(w.held).toBe(false);
  });

  it('is held where the guest was seen at its destination already: whoever still has it at the source has not sent it', () => {
    const { w, migration, epoch } = moving();
    w.fact('h2', { type: 'StandbyReady', port: 'p1' as PortId, epoch, ready: true }, ABILITIES);
    expect(w.held).toBe(false);
    // Somebody had started it there, as its source was not heard of.
    w.fact('h2', { type: 'PortActivated', port: 'p1' as PortId, epoch });
    expect(w.state.migrations.get(migration)?.phase).toBe('switched');
    expect(w.held).toBe(true);
    w.fact('h2', { type: 'InterfaceUnplugged', ifaceId: 'i' });
    w.fact('h1', { type: 'HypervisorMigration', migration, attempt: 1, outcome: 'started' });
    expect(w.state.migrations.get(migration)?.outcome).toBe('started');
    expect(w.held).toBe(true);
  });
});
