import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalJson,
  unwrap,
  type EvacuationId,
  type HostName,
  type Lineage,
  type MigrationId,
  type PortId,
  type Revision,
} from '#kernel';
import { fromStored, toStored } from '../events/versions.js';
import { type Command, type CommandContext, type Fact } from '../model/commands.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type MigrationPhase, type State } from '../model/state.js';
import { freeze, thaw } from '../state/bulk.js';
import { initialState } from '../state/initial.js';
import { hostsOf } from '../state/next.js';
import { checkInvariants } from '../state/invariants.js';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { verifyLedger } from '../ledger/verify.js';
import { applying, dvs, group, plug, raw, threeHosts, World } from '../testing.js';
import { decide, decideAndEvolve } from './decide.js';
import { evolve } from './evolve.js';

/** That of `World`. */
const LINEAGE = '00000000-0000-4000-8000-000000000000' as Lineage;

const hosts = ['h1', 'h2', 'h3'];
const host = fc.constantFrom(...hosts);
const number = fc.integer({ min: 1, max: 6 });
const port = number.map((n) => `p${n}` as PortId);
const migration = number.map((n) => `m${n}` as MigrationId);
const evacuation = fc.constantFrom('e1' as EvacuationId, 'e2' as EvacuationId, 'e3' as EvacuationId);
const phases: MigrationPhase[] = [
  'admitted',
  'prepared',
  'moving',
  'switched',
  'completed',
  'aborting',
  'unknown',
];
const phase = fc.constantFrom(...phases, 'aborted' as const);
const vlan = fc.constantFrom(
  { mode: 'none' },
  { mode: 'access', id: 7 },
  { mode: 'trunk', ranges: [{ from: 5, to: 9 }] },
);

/** Interfaces: two of one VM, one with a clashing MAC, one ephemeral. */
const iface = fc.constantFrom(
  plug('if-1', '02:00:00:00:00:01', { owner: 'vm1' }),
  plug('if-2', '02:00:00:00:00:02', { owner: 'vm1' }),
  plug('if-3', '02:00:00:00:00:01', { owner: 'vm2' }),
  plug('if-4', '02:00:00:00:00:04', { owner: 'vm3', profile: 'pool' }),
  plug('if-5', '02:00:00:00:00:05', { owner: 'vm3', profile: 'pool' }),
);

const setName = fc.constantFrom('s1', 's2');

type Step = (w: World) => Command;

const facts: fc.Arbitrary<(w: World, host: string) => Fact> = fc.oneof(
  { arbitrary: iface.map((f) => () => f as Fact), weight: 6 },
  iface.map((f) => (): Fact => ({ type: 'InterfaceUnplugged', ifaceId: f.interface.ifaceId })),
  fc.subarray([1, 2, 3, 4, 5]).map((ns) => (): Fact => {
    const owners = ['', 'vm1', 'vm1', 'vm2', 'vm3', 'vm3'];
    const interfaces = ns.map((n) => {
      const mac = `02:00:00:00:00:0${n === 3 ? 1 : n}`;
      return plug(`if-${n}`, mac, { owner: owners[n], profile: n > 3 ? 'pool' : 'web' }).interface;
    });
    return { type: 'Inventory', interfaces };
  }),
  {
    arbitrary: fc.tuple(port, fc.nat(2)).map(([p, back]) => (w: World): Fact => {
      const epoch = Math.max(1, (w.state.ports.get(p)?.epoch ?? 1) - back);
      return { type: 'PortActivated', port: p, epoch: epoch as never };
    }),
    weight: 4,
  },
  {
    arbitrary: fc
      .tuple(port, fc.nat(2), fc.constantFrom('i1', 'i2'), fc.integer({ min: -3, max: 9 }), fc.nat(2))
      .map(([p, back, incarnation, n, how]) => (w: World, h: string): Fact => {
        const now = raw(Math.max(0, w.log.length + n));
        const held = [...w.state.ports.values()].filter((x) => hostsOf(x).includes(h as never));
        const one = held[n % held.length] ?? w.state.ports.get(p);
        if (one === undefined) return { type: 'Inventory', interfaces: [] };
        const open = one.ledger.segments.find((s) => s.close === null && s.host === h);
        if (how === 0 && open !== undefined) {
          const { epoch, incarnation: its } = open;
          return { type: 'SegmentClosed', port: one.id, epoch, incarnation: its, raw: now };
        }
        const epoch = Math.max(1, one.epoch - back) as never;
        const type = how === 1 ? 'SegmentClosed' : 'SegmentOpened';
        return { type, port: one.id, epoch, incarnation, raw: now };
      }),
    weight: 6,
  },
  {
    arbitrary: fc
      .tuple(migration, fc.constantFrom('started', 'completed', 'failed', 'aborted', 'unknown'))
      .map(([m, outcome]) => (w: World): Fact => {
        const { attempt = 1 } = w.state.migrations.get(m) ?? {};
        return { type: 'HypervisorMigration', migration: m, attempt, outcome: outcome as never };
      }),
    weight: 2,
  },
  fc.boolean().map((up) => (): Fact => ({ type: 'UplinkState', switch: 'lan', uplink: 'uplink1', up })),
);

let seq = 0;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc
      .tuple(host, fc.array(facts, { minLength: 1, maxLength: 3 }), fc.subarray(hosts))
      .map(([h, fs, suspects]): Step => (w) => {
        const numbered = fs.map((f) => ({ seq: ++seq, at: 0, fact: f(w, h) }));
        const host = h as HostName;
        return { type: 'IngestFacts', host, boot: 'b', facts: numbered, suspects: suspects as HostName[] };
      }),
    weight: 12,
  },
  host.map((h): Step => () => ({ type: 'TakeOver', host: h as HostName, reason: 'silent' })),
  fc
    .tuple(host, fc.boolean())
    .map(([h, dead]): Step => () => ({ type: 'GiveUpCounters', host: h as HostName, reason: 'x', dead })),
  {
    arbitrary: fc
      .tuple(fc.constantFrom('vm1', 'vm2', 'vm3'), host)
      .map(([owner, h]): Step => () => ({ type: 'StartMigration', owner, destination: h as HostName })),
    weight: 4,
  },
  {
    arbitrary: fc.tuple(migration, phase, fc.boolean()).map(([m, to, enough]): Step => (w) => {
      const { phase: from = 'admitted', episode = 1 } = w.state.migrations.get(m) ?? {};
      const realised = enough ? w.state.revision : 0;
      const evidence = Object.fromEntries(hosts.map((h) => [h, realised]));
      return { type: 'AdvanceMigration', migration: m, episode, from, to, evidence };
    }),
    weight: 6,
  },
  migration.map((m): Step => () => ({ type: 'AbortMigration', migration: m, reason: 'asked' })),
  migration.map((m): Step => (w) => {
    const { episode = 1 } = w.state.migrations.get(m) ?? {};
    return { type: 'TimeOutMigration', migration: m, episode, stoodMs: 600_000 };
  }),
  {
    arbitrary: fc
      .tuple(host, fc.subarray(hosts), fc.option(number, { nil: undefined }))
      .map(([h, to, attempts]): Step => () => ({
        type: 'StartEvacuation',
        host: h as HostName,
        to: to as HostName[],
        ...(attempts === undefined ? {} : { attempts }),
      })),
    weight: 2,
  },
  {
    arbitrary: fc.tuple(evacuation, fc.subarray(hosts)).map(([e, silent]): Step => (w) => {
      const { episode = 1 } = w.state.evacuations.get(e) ?? {};
      return { type: 'AdvanceEvacuation', evacuation: e, episode, silent: silent as HostName[] };
    }),
    weight: 6,
  },
  fc.tuple(evacuation, fc.boolean()).map(([e, abortRunning]): Step => () => ({
    type: 'AbortEvacuation',
    evacuation: e,
    reason: 'asked',
    abortRunning,
  })),
  host.map(
    (h): Step =>
      () =>
        applying({ kind: 'Host', name: h, spec: {} }),
  ),
  fc.tuple(vlan, fc.nat(6), fc.constantFrom('static', 'ephemeral'), fc.boolean(), fc.boolean()).map(
    ([v, ports, binding, over, autoShrink]): Step =>
      () =>
        applying(
          group('web', {
            policy: { vlan: v },
            partitionPolicy: ports % 2 === 0 ? 'isolate' : 'keep',
            ports,
            binding,
            autoExpand: autoShrink,
            autoShrink,
            overridable: over ? ['vlan', 'blocked'] : [],
          }),
        ),
  ),
  fc.tuple(vlan, fc.subarray(hosts, { minLength: 2 })).map(
    ([v, members]): Step =>
      () =>
        applying(dvs('lan', members, { policy: { vlan: v } })),
  ),
  fc
    .tuple(port, vlan)
    .map(([p, v]): Step => () => ({ type: 'SetPort', port: p, override: { vlan: v as never } })),
  port.map((p): Step => () => ({ type: 'DisconnectPort', port: p })),
  {
    arbitrary: fc
      .tuple(port, fc.constantFrom('web', 'pool', 'none'))
      .map(([p, name]): Step => () => ({ type: 'MovePort', port: p, group: name })),
    weight: 2,
  },
  fc
    .constantFrom('web', 'pool', 'none')
    .map((name): Step => () => ({ type: 'Delete', kind: 'PortGroup', name })),
  fc.tuple(setName, fc.subarray(['web', 'pool']), fc.subarray(['p1', 'p2', 'p3']), fc.subarray(['vm1'])).map(
    ([name, groups, ports, owners]): Step =>
      () =>
        applying({ kind: 'PortSet', name, spec: { groups, ports, owners } }),
  ),
  fc.tuple(setName, fc.subarray(['10.0.0.0/8', '10.1.0.0/16', '2001:db8::1'])).map(
    ([name, addresses]): Step =>
      () =>
        applying({ kind: 'AddressSet', name, spec: { addresses } }),
  ),
  fc
    .tuple(setName, fc.constantFrom('AddressSet', 'PortSet'))
    .map(([name, kind]): Step => () => ({ type: 'Delete', kind, name })),
  fc.option(setName).map((name): Step => () => {
    const rules = name === null ? [] : [{ name: 'r', action: 'drop', match: { srcSet: name } }];
    return applying(group('pool', { binding: 'ephemeral', ports: 0, policy: { filter: rules } }));
  }),
  host.map((name): Step => () => ({ type: 'Delete', kind: 'Host', name })),
  iface.map(({ interface: i }): Step => () => {
    const connectee = { kind: 'vm' as const, ifaceId: i.ifaceId, mac: i.mac, owner: i.owner };
    return { type: 'ConnectPort', group: i.profile as string, connectee };
  }),
);

/** The state that comes with a decision is what its events make of the state, in this commit and in a later one. */
function checkEvolved(w: World, command: Command, ctx: CommandContext): void {
  for (const gap of [1, 3]) {
    const meta = { lineage: LINEAGE, revision: (w.state.revision + gap) as Revision, time: ctx.now };
    const both = decideAndEvolve(w.state, command, w.ctx, meta);
    if (!both.ok) continue;
    const folded = both.value.events.reduce((s, event) => evolve(s, event, meta), w.state);
    expect(digest(both.value.state)).toBe(digest(folded));
  }
}

/** The history once more on top of itself: some of it fits, some does not. */
function tryEvolve(state: State, event: DomainEvent, meta: EventMeta): State {
  try {
    return evolve(state, event, meta);
  } catch {
    return state;
  }
}

const digest = (state: State): string => canonicalJson(stateDigestInput(state));

/** The indexes too, which are not part of digests, and the order in which each map is gone through. */
const everything = (state: State): string => JSON.stringify(state);

function play(steps: readonly Step[]): World {
  const w = threeHosts();
  w.apply(group('pool', { binding: 'ephemeral', ports: 0 }));
  seq = 0;
  for (const next of steps) {
    const command = next(w);
    const { ctx } = w;
    const result = decide(w.state, command, ctx);
    checkEvolved(w, command, ctx);
    w.now += 10;
    if (result.ok) w.commit(result.value);
    else {
      expect(result.error.details.length).toBeGreaterThan(0);
      continue;
    }
    const broken = checkInvariants(w.state);
    if (broken.length > 0) {
      throw new Error(
        `${broken.join('\n')}\nafter ${JSON.stringify(command)}\n${JSON.stringify(result.value)}`,
      );
    }
    if (command.type === 'Apply') {
      expect(decide(w.state, command, w.ctx)).toEqual({ ok: true, value: [] });
    }
  }
  return w;
}

describe('any commands in any order', () => {
  it('leave every invariant standing, the ledger verifiable and the state replayable', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const w = play(steps);
        expect(verifyLedger(w.log, w.state)).toEqual([]);
        const live = canonicalJson(stateDigestInput(w.state));
        const back = unwrap(stateFromJson(JSON.parse(live)));
        expect(canonicalJson(stateDigestInput(back))).toBe(live);
        const start = initialState;
        const metas = w.log.map((_, i) => ({
          lineage: LINEAGE,
          revision: (i + 1) as Revision,
          time: 1_000_000 + i,
        }));
        const one = w.log.reduce((s, event, i) => evolve(s, event, metas[i]!), start);
        let held = start;
        let many = thaw(start);
        w.log.forEach((event, i) => {
          many = evolve(many, event, metas[i]!);
          if (i % 7 !== 0) return;
          held = freeze(many);
          many = thaw(held);
        });
        const shown = everything(held);
        many = freeze(many);
        expect(everything(many)).toBe(everything(one));
        // What was frozen on the way stays as it was, and what is frozen now is not changed by going on.
        expect(everything(held)).toBe(shown);
        w.log.reduce((s, event, i) => tryEvolve(s, event, metas[i]!), thaw(many));
        expect(everything(many)).toBe(everything(one));
        for (const event of w.log) {
          const stored = JSON.parse(JSON.stringify(toStored(event)));
          expect(canonicalJson(unwrap(fromStored(stored)))).toBe(canonicalJson(event));
        }
      }),
      { numRuns: 300 },
    );
  });
});
