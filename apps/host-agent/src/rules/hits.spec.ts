import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Flow, type FlowStats } from '#openflow';
import { AgentHost, mac, settle, view } from '../agent.fixture.js';
import { FlowCounts } from './flow-counts.js';
import { countsHits } from './hits.js';

const rule = (name: string, more: object = {}) => ({
  ...{ name, direction: 'in', action: 'allow', tier: 1, enabled: true, match: { etherType: 0x88b5 } },
  ...more,
});
const filter = (...rules: object[]) => ({ filter: { stateful: false, default: 'allow', rules } }) as never;

describe('hits of rules', () => {
  let host: AgentHost;
  let revision = 0;

  const become = (...overrides: readonly object[]): Promise<void> =>
    host.become(
      (revision += 1),
      overrides.map((override, i) => ({ n: i + 1, override: override as never })),
    );
  /** Ports and hits of each list, as told when they were read anew. */
  const told = async () => {
    host.clock.advance(10_000);
    for (let i = 0; i < 6; i += 1) await host.agent.telemetry();
    await settle();
    const { rules = [] } = await host.agent.telemetry();
    return rules.map(({ ports, hits }) => [[...ports].sort().join(), hits]);
  };

  beforeEach(async () => {
    host = new AgentHost();
    host.services = [countsHits];
    await host.start();
    await become({}, {}, {});
    for (const n of [1, 2, 3]) await host.plug(n);
  });

  it('are those of all ports that have the list, and nothing where there are no rules', async () => {
    expect(await told()).toEqual([]);
    const one = filter(rule('r'), rule('never'));
    await become(one, one, filter(rule('own')));
    await host.send(1, mac(3), 2);
    await host.send(2, mac(3), 3);
    await host.send(3, mac(1), 4);
    expect(await told()).toEqual([
      ['p1,p2', { r: 5, never: 0 }],
      ['p3', { own: 4 }],
    ]);
  });

  it('go on when rules are moved or changed, when the list is numbered anew, and when others leave it', async () => {
    await become(filter(rule('r')), filter(rule('r')), filter(rule('r')));
    await host.send(2, mac(3), 3);
    expect(await told()).toEqual([['p1,p2,p3', { r: 3 }]]);
    const moved = filter(rule('first', { match: { etherType: 0x0806 } }), rule('r', { action: 'drop' }));
    await become(moved, moved, moved);
    await host.send(2, mac(3));
    expect(await told()).toEqual([['p1,p2,p3', { r: 4, first: 0 }]]);
    // The lowest port's leaving gives the list another number.
    await become(filter(rule('r')), moved, moved);
    await host.send(2, mac(3));
    await host.send(1, mac(3));
    expect(await told()).toEqual([
      ['p2,p3', { r: 5, first: 0 }],
      ['p1', { r: 1 }],
    ]);
    await become({}, filter(rule('first')), filter(rule('first')));
    expect(await told()).toEqual([['p2,p3', { first: 0 }]]);
  });

  it('go on from what its flows have counted where another run of the agent takes them over', async () => {
    const one = filter(rule('r'));
    await become(one, one, {});
    await host.send(1, mac(3), 2);
    expect(await told()).toEqual([['p1,p2', { r: 2 }]]);
    await host.agent.close();
    await host.send(2, mac(3), 3);
    await host.start(view(revision, [{ n: 1, override: one }, { n: 2, override: one }, { n: 3 }]));
    expect(await told()).toEqual([['p1,p2', { r: 5 }]]);
    await host.send(1, mac(3), 4);
    expect(await told()).toEqual([['p1,p2', { r: 9 }]]);
  });

  it('never fall, and never count a frame twice, whatever becomes of the flows between readings', () => {
    const flow = { table: 25, priority: 1, match: {}, actions: [], cookie: 5n } as Flow;
    const step = fc.record({ frames: fc.nat(9), ms: fc.nat(9_000), made: fc.boolean(), late: fc.nat(900) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const counts = new FlowCounts();
        let [now, madeAt, since, packets, all, sum] = [0, 0, 0, 0, 0, 0];
        for (const { frames, ms, made, late } of steps) {
          now += ms;
          if (made) [madeAt, since, packets] = [now, now, 0];
          packets += frames;
          all += frames;
          const stats: FlowStats = {
            flow,
            packets: BigInt(packets),
            bytes: 0n,
            durationMs: Math.floor(now + late - madeAt),
          };
          const more = counts.take([stats], now, since).get(5n) ?? 0;
          expect(more).toBeGreaterThanOrEqual(0);
          sum += more;
          // What is read next is asked for after this was told.
          now += late;
          expect(sum).toBeLessThanOrEqual(all);
        }
        if (steps.every(({ made }, i) => i === 0 || !made)) expect(sum).toBe(all);
      }),
    );
  });
});
