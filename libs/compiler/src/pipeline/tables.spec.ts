import { describe, expect, it } from '@jest/globals';
import { makeCookie, type BridgeState, type Flow } from '#openflow';
import { faults } from '../check.fixture.js';
import { compile } from '../compile.js';
import { desiredOf, factsOf } from '../documents.fixture.js';
import { FEATURE_CODES } from './cookies.js';
import { HOST_METERS, meterSlot, portMeter } from '../meters.js';
import { MAX_SLOT } from '../slots.js';
import { REG, type RegisterName } from './registers.js';
import { OUT_STAGES, lookupsOf, nextOut, stagesOf, withLookups } from './stages.js';
import { PIPELINE, TABLE_NAMES, TABLES, type TableName } from './tables.js';

const all = Object.entries(PIPELINE) as [TableName, (typeof PIPELINE)[TableName]][];

describe('the pipeline as declared', () => {
  it('gives each table a number of its own, and none that others use', () => {
    expect(TABLE_NAMES.size).toBe(all.length);
    for (const [name, { number }] of all) expect([name, number < 253]).toEqual([name, true]);
  });

  it('leads on to greater numbers, and asks tables that are there', () => {
    for (const [name, { number, next, asks = [] }] of all) {
      for (const to of [...next, ...asks]) expect([name, to, to in TABLES]).toEqual([name, to, true]);
      for (const to of next) {
        const further = PIPELINE[to as TableName].number > number;
        expect([name, to, further]).toEqual([name, to, true]);
      }
    }
  });

  it('reaches every table from the first', () => {
    const own = all.filter(([, { path }]) => path === 'agent').map(([name]) => name);
    const reached = new Set<string>(['CLASSIFY', ...own]);
    for (const name of reached) {
      const { next, asks = [] } = PIPELINE[name as TableName];
      for (const to of [...next, ...asks]) reached.add(to);
    }
    expect(all.map(([name]) => name).filter((name) => !reached.has(name))).toEqual([]);
  });

  it('reads no register that nothing on the way to it can have written', () => {
    const written = new Map<string, Set<RegisterName>>(
      all.map(([name, { path, reads = [] }]) => [name, new Set(path === 'agent' ? reads : [])]),
    );
    let grew = true;
    while (grew) {
      grew = false;
      for (const [name, { next, asks = [], writes = [] }] of all) {
        // What is asked comes back: its registers are known to whatever follows.
        const answers = asks.flatMap((to) => [...(PIPELINE[to as TableName].writes ?? [])]);
        const known = [...(written.get(name) ?? []), ...writes, ...answers];
        // A group sets what it chose.
        if (asks.includes('CHOSEN')) known.push('chosen');
        for (const to of [...next, ...asks]) {
          const there = written.get(to) as Set<RegisterName>;
          for (const register of known) if (!there.has(register)) grew = Boolean(there.add(register));
        }
      }
    }
    const unwritten = all.flatMap(([name, { reads = [], writes = [], asks = [] }]) => {
      const answers = asks.flatMap((to) => [...(PIPELINE[to as TableName].writes ?? [])]);
      const known = new Set([...(written.get(name) ?? []), ...writes, ...answers]);
      return reads.filter((register) => !known.has(register)).map((register) => `${name} ${register}`);
    });
    expect(unwritten).toEqual([]);
    expect(new Set(Object.values(REG)).size).toBe(Object.keys(REG).length);
  });

  it('has the switch write only where that is declared', () => {
    const learned = all.filter(([, spec]) => spec.learned !== undefined).map(([name]) => name);
    expect(learned).toEqual(['LEARNED_SRC', 'ACTIVITY', 'LEASE', 'LEARNED_DST']);
  });

  it('gives each feature a code of its own', () => {
    const codes = Object.values(FEATURE_CODES);
    expect(new Set(codes).size).toBe(codes.length);
    expect(Math.max(...codes)).toBeLessThan(200);
  });
});

describe('compiled flows', () => {
  const desired = desiredOf({ ports: [{ n: 1 }, { n: 2 }] });
  const bridge = compile(desired, factsOf(desired)).state.bridges[0] as BridgeState;
  const first = bridge.flows.find((f) => f.table === TABLES.OUTPUT) as Flow;
  const among = (flow: Partial<Flow>): string[] =>
    faults({
      ...bridge,
      flows: [...bridge.flows, { ...first, match: {}, actions: [], priority: 1, ...flow }],
    });

  it('are held to what their tables declare', () => {
    expect(faults(bridge)).toEqual([]);
    expect(among({ cookie: makeCookie({ feature: FEATURE_CODES.filter, object: 1, round: 1 }) })).toEqual([
      'OUTPUT: a flow of filter',
    ]);
    expect(among({ match: { reg7: { value: 1n } } })).toEqual(['OUTPUT: reads rules']);
    expect(among({ actions: [{ kind: 'set-field', field: 'reg7', value: 1n }] })).toEqual([
      'OUTPUT: writes rules',
    ]);
    expect(among({ actions: [{ kind: 'goto', table: TABLES.TO_UPLINK }] })).toEqual([
      'OUTPUT: goes to TO_UPLINK',
    ]);
    expect(among({ actions: [{ kind: 'resubmit', table: TABLES.ACTIVITY }] })).toEqual([
      'OUTPUT: asks ACTIVITY',
    ]);
  });
});

describe('the way to a port', () => {
  it('leads past every stage that it does not use', () => {
    const stages = stagesOf(['FILTER_OUT', 'SHAPE_OUT_AVERAGE']);
    const way = (['DISPATCH_OUT', 'FILTER_OUT', 'SHAPE_OUT_AVERAGE'] as const).map((after) =>
      nextOut({ stages }, after),
    );
    expect(way).toEqual(
      [TABLES.FILTER_OUT, TABLES.SHAPE_OUT_AVERAGE, TABLES.OUTPUT].map((table) => ({ kind: 'goto', table })),
    );
    expect(nextOut({ stages: 0 }, 'DISPATCH_OUT')).toEqual({ kind: 'goto', table: TABLES.OUTPUT });
  });

  it('costs five lookups, and one or more for each stage', () => {
    expect(lookupsOf(0)).toBe(5);
    expect(lookupsOf(stagesOf(['SHAPE_OUT_AVERAGE']))).toBe(6);
    expect(lookupsOf(withLookups(stagesOf(['FILTER_OUT']), 2))).toBe(8);
    expect(lookupsOf(stagesOf(OUT_STAGES))).toBe(12);
    expect(nextOut({ stages: withLookups(0, 3) }, 'DISPATCH_OUT')).toEqual({
      kind: 'goto',
      table: TABLES.OUTPUT,
    });
  });
});

describe('meter ids', () => {
  it('of the host lie above those of all slots, apart, and belong to none', () => {
    expect(portMeter(MAX_SLOT, 'membership')).toBeLessThan(HOST_METERS.trafficClass.from);
    expect(meterSlot(portMeter(MAX_SLOT, 'membership'))).toBe(MAX_SLOT);
    let last = 0;
    for (const { from, to } of Object.values(HOST_METERS)) {
      expect(from).toBeGreaterThan(last);
      expect([meterSlot(from), meterSlot(to)]).toEqual([0, 0]);
      last = to;
    }
    expect(last).toBeLessThan(2 ** 18);
  });
});
