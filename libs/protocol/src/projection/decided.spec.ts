import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Random, type GroupName, type HostName, type Revision, type SwitchName } from '#kernel';
import { type StateDocument } from '#contracts';
import {
  ABILITIES,
  decide,
  evolve,
  initialState,
  NO_FEATURES,
  type Command,
  type DomainEvent,
  type MigrationPhase,
  type State,
} from '#domain';
import { handoverToken } from '../simulation/token.js';
import { HOSTS, lineageOf } from '../simulation/world.js';
import { contentOf } from './documents.js';
import { projectAll } from './project-all.js';
import { project, withChanges } from './project.js';

const GROUPS = ['web', 'db'] as GroupName[];
const OWNERS = ['vm0', 'vm1', 'vm2'];
const PHASES: MigrationPhase[] = ['prepared', 'moving', 'switched', 'completed', 'aborted'];

const apply = (random: Random): Command => ({
  type: 'Apply',
  resources: [
    ...HOSTS.map((name) => ({
      kind: 'Host' as const,
      name,
      spec: {
        labels: {},
        managementPath: null,
        preload: random.chance(0.3) ? GROUPS : [],
        maintenance: false,
        migrationLimit: 2,
        foreignFlows: 'report' as const,
      },
    })),
    {
      kind: 'DistributedSwitch',
      name: 'dvs' as SwitchName,
      spec: {
        uplinks: ['uplink1'],
        mtu: random.chance(0.5) ? 1500 : 9000,
        policy: {},
        members: Object.fromEntries(HOSTS.map((h) => [h, { uplink1: 'eth1' }])),
        ...NO_FEATURES,
      },
    },
    ...GROUPS.map((name) => ({
      kind: 'PortGroup' as const,
      name,
      spec: {
        switch: 'dvs' as SwitchName,
        policy: { blocked: random.chance(0.5) },
        overridable: ['blocked' as const],
        binding: 'static' as const,
        ports: 2,
        autoExpand: true,
        autoShrink: false,
        resetAtDisconnect: false,
        partitionPolicy: 'keep' as const,
        startOffline: false,
      },
    })),
  ],
});

/** What an operator, an agent or the coordinator might send next; much of it is refused, as it should be. */
function next(random: Random, state: State, seq: number): Command {
  const host = random.pick(HOSTS) as HostName;
  const owner = random.pick(OWNERS) ?? 'vm0';
  const n = OWNERS.indexOf(owner);
  const port = random.pick([...state.ports.values()]);
  const migration = random.pick([...state.migrations.values()]);
  const iface = { ifaceId: `if${n}`, mac: `02:00:00:00:00:0${n}`, owner, kind: 'vm' as const };
  const facts = (
    fact: Extract<Command, { type: 'IngestFacts' }>['facts'][number]['fact'],
    from = host,
  ): Command => ({
    type: 'IngestFacts',
    host: from,
    boot: 'b',
    // The agent is upgraded, and goes back to what it was.
    ...(seq % 3 === 0 ? {} : { abilities: ABILITIES }),
    facts: [{ seq, at: seq, fact }],
  });
  switch (random.below(11)) {
    case 0:
      return apply(random);
    case 9:
      return { type: 'Delete', kind: 'PortGroup', name: random.pick(GROUPS) ?? 'web' };
    case 1:
      return { type: 'ConnectPort', group: random.pick(GROUPS) ?? 'web', connectee: iface };
    case 2:
    case 3:
      return facts({ type: 'InterfacePlugged', interface: { ...iface, profile: 'web', switch: 'dvs' } });
    case 4:
      return facts({ type: 'InterfaceUnplugged', ifaceId: `if${n}` });
    case 5:
      return { type: 'StartMigration', owner, destination: host };
    case 6:
    case 7:
      if (migration === undefined) return apply(random);
      return {
        type: 'AdvanceMigration',
        migration: migration.id,
        episode: migration.episode,
        from: migration.phase,
        to: random.pick(PHASES) ?? 'prepared',
        evidence: Object.fromEntries(HOSTS.map((h) => [h, state.revision])),
      };
    case 8: {
      const standby = port?.standby;
      if (port === undefined || !standby) return { type: 'StartMigration', owner, destination: host };
      const at = { port: port.id, epoch: standby.epoch };
      const fact = random.chance(0.5)
        ? ({ type: 'StandbyReady', ...at, ready: random.chance(0.7) } as const)
        : ({ type: 'PortActivated', ...at } as const);
      return facts(fact, standby.host);
    }
    default:
      return port === undefined
        ? apply(random)
        : { type: 'SetPort', port: port.id, override: { blocked: random.chance(0.5) } };
  }
}

interface Step {
  readonly before: State;
  readonly after: State;
  readonly events: readonly DomainEvent[];
}

function* history(random: Random): Iterable<Step> {
  let state = initialState;
  for (let i = 1; i < 50; i += 1) {
    const command = i === 1 ? apply(random) : next(random, state, i);
    const decided = decide(state, command, { now: i, actor: 'test' });
    if (!decided.ok || decided.value.length === 0) continue;
    const before = state;
    const meta = { lineage: lineageOf(1), revision: (state.revision + 1) as Revision, time: i };
    state = decided.value.reduce((s, event) => evolve(s, event, meta), state);
    yield { before, after: state, events: decided.value };
  }
}

const expectAll = (documents: ReadonlyMap<string, StateDocument>, state: State): void => {
  const standing = [...documents.values()].filter((d) => d.type !== 'tombstone').map(contentOf);
  expect(standing.sort()).toEqual([...projectAll(state, handoverToken).values()].map(contentOf).sort());
};

describe('the projection of what the rules decide', () => {
  it('commit by commit is that of the whole state', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        let documents = new Map<string, StateDocument>();
        for (const { before, after, events } of history(new Random(seed))) {
          for (const { type } of events) kinds.add(type);
          documents = withChanges(documents, project(before, after, events, documents, handoverToken));
          expectAll(documents, after);
        }
      }),
      { numRuns: 40 },
    );
    expect([...kinds]).toEqual(
      expect.arrayContaining(['PortBound', 'PortConnected', 'FactsAccepted', 'GroupDeleted']),
    );
  });

  it('of several commits at once is, too', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 20 }), (seed, most) => {
        const random = new Random(seed);
        let documents = new Map<string, StateDocument>();
        let steps: Step[] = [];
        for (const step of history(random)) {
          steps.push(step);
          if (steps.length < 1 + random.below(most)) continue;
          const before = steps[0]?.before ?? initialState;
          const events = steps.flatMap((s) => s.events);
          documents = withChanges(documents, project(before, step.after, events, documents, handoverToken));
          expectAll(documents, step.after);
          steps = [];
        }
      }),
      { numRuns: 100 },
    );
  });
});
