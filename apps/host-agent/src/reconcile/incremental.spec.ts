import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_FILTER, type PolicyPatch } from '#domain';
import { AgentHost, BRIDGE, settle, view, type BindingSpec } from '../agent.fixture.js';

const PORTS = [1, 2, 3];

const override: fc.Arbitrary<PolicyPatch> = fc.record({
  blocked: fc.boolean(),
  filter: fc
    .array(
      fc.record({
        tier: fc.constant(1),
        enabled: fc.constant(true),
        name: fc.constant('r'),
        direction: fc.constantFrom('in', 'out', 'both'),
        action: fc.constantFrom('allow', 'drop'),
        match: fc.record({ etherType: fc.constantFrom(0x0800, 0x0806) }),
      }),
      { maxLength: 2 },
    )
    .map((rules) => ({ ...NO_FILTER, rules })),
});
const binding = (n: number): fc.Arbitrary<BindingSpec> =>
  fc.record({
    n: fc.constant(n),
    role: fc.constantFrom('active', 'active', 'active', 'retired'),
    override,
  });
/** What the documents say, and whether somebody writes a flow of his own, or takes one of ours, before. */
const step = fc.record({
  bindings: fc.tuple(...PORTS.map(binding)),
  meddler: fc.constantFrom('none', 'none', 'none', 'adds', 'removes'),
});

const FOREIGN = { table: 0, priority: 7, match: {}, actions: [], cookie: 5n };

describe('an agent that looks only at what changed', () => {
  it('has its switch where one that reads and compiles everything would have it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
        const host = new AgentHost();
        await host.start();
        await host.become(1, []);
        for (const n of PORTS) await host.plug(n);
        let revision = 1;
        for (const { bindings, meddler } of steps) {
          const bridge = host.switch.bridge(BRIDGE);
          if (meddler === 'adds') bridge.bundle([{ op: 'add-flow', flow: FOREIGN }]);
          const [first] = bridge.observe().flows;
          if (meddler === 'removes' && first) bridge.bundle([{ op: 'delete-flow', flow: first.flow }]);
          if (meddler !== 'none') host.agent.audit();
          revision += 1;
          host.agent.documents(view(revision, bindings));
          await settle();
          expect(host.reports.at(-1)?.realised).toBe(revision);
        }
        host.steps.length = 0;
        host.agent.audit();
        await settle();
        expect(host.steps).toEqual([]);
        const followed = host.switch.bridge(BRIDGE).observe().flows.length;
        // A run that remembers nothing of what was compiled before has nothing to do, either.
        await host.agent.close();
        await host.start(view(revision, steps.at(-1)?.bindings ?? []));
        await settle();
        expect(host.steps.filter((s) => s.kind === 'bundle' || s.kind === 'meters')).toEqual([]);
        expect(host.switch.bridge(BRIDGE).observe().flows).toHaveLength(followed);
        await host.agent.close();
      }),
      { numRuns: 25 },
    );
  });
});
