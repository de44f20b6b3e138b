import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Lineage, type Revision } from '#kernel';
import { type Snapshot } from '#protocol';
import { AgentHost, BRIDGE, mac, settle, view } from '../agent.fixture.js';
import { desiredOf, sameWork } from './desired.js';

const OTHER = '00000000-0000-4000-8000-000000000002' as Lineage;

describe('an agent whose centre', () => {
  let host: AgentHost;
  const show = async (snapshot: Snapshot): Promise<void> => {
    host.agent.documents(snapshot);
    await settle();
  };

  beforeEach(async () => {
    host = new AgentHost();
    await host.start();
    await host.become(1, []);
    for (const n of [1, 2]) await host.plug(n);
    await host.become(2, [{ n: 1 }, { n: 2 }]);
  });

  it('begins another lineage tells what is plugged and what it counts once more', async () => {
    host.facts.length = 0;
    await show({ ...view(1, [{ n: 1 }, { n: 2 }]), lineage: OTHER });
    expect(
      host
        .of('Inventory')
        .at(-1)
        ?.interfaces.map((i) => i.ifaceId),
    ).toEqual(['if-1', 'if-2']);
    // What was never accepted is sent again besides: the log takes a repeat for what it is.
    expect(new Set(host.of('SegmentOpened').map((f) => f.incarnation))).toEqual(new Set(['1', '2']));
    await host.send(1, mac(2));
    expect(host.received('tap2')).toBe(1);
  });

  it('knows it no more takes its bridges out', async () => {
    const gone = { ...view(3, []), received: 3 as Revision, documents: new Map() };
    await show(gone);
    expect(host.steps.at(-1)).toEqual({ kind: 'ovsdb', changes: [{ op: 'remove-bridge', bridge: BRIDGE }] });
  });

  it('can’t say what it is to do keeps what it carries', async () => {
    host.steps.length = 0;
    const faults = [
      { key: 'h.h1.host', problem: { code: 'invalid', message: 'x', retry: false, details: [] } },
    ];
    await show({ ...view(3, []), documents: new Map(), faults } as unknown as Snapshot);
    expect(host.steps).toEqual([]);
  });

  it('was restored from before it was known keeps what it carries', async () => {
    host.steps.length = 0;
    await show({ ...view(3, []), documents: new Map(), lineage: OTHER });
    expect(host.steps).toEqual([]);
  });

  it('never knew it leaves the switch alone', async () => {
    host.steps.length = 0;
    await host.agent.close();
    await host.start({ ...view(3, []), documents: new Map() });
    expect(host.steps).toEqual([]);
  });
});

/** As the next version of the host's document makes it; all other documents stay the same objects. */
function withHost(before: Snapshot, revision: number, change: object): Snapshot {
  const key = 'h.h1.host';
  const host = { ...before.documents.get(key), revision, ...change };
  const documents = new Map(before.documents).set(key, host as never);
  return { ...before, received: revision as Revision, documents };
}

const accepted = (seq: number): object => ({ acceptedFactSeq: { boot: 'boot', seq } });

describe('a host’s document', () => {
  const before = view(2, [{ n: 1 }]);
  const same = (after: Snapshot): boolean =>
    sameWork(desiredOf(before.documents), desiredOf(after.documents));

  it('that says what was taken in, or what the hypervisor is to do, asks nothing of the switch', () => {
    expect(same(withHost(before, 3, accepted(7)))).toBe(true);
    expect(same(withHost(before, 3, { migrations: [{ migration: 'm1' }] }))).toBe(true);
    expect(same(withHost(before, 3, { switches: [] }))).toBe(false);
    expect(same(withHost(before, 3, { confirm: { deadline: 1, confirmed: 1 } }))).toBe(false);
    expect(same(view(2, [{ n: 1 }]))).toBe(false);
    expect(sameWork(null, desiredOf(before.documents))).toBe(false);
  });

  it('is reported without a look at the switch, and by a pass under way at its end', async () => {
    const host = new AgentHost();
    await host.start();
    await host.become(1, []);
    await host.plug(1);
    const bound = view(2, [{ n: 1 }]);
    host.agent.documents(bound);
    host.agent.documents(withHost(bound, 3, accepted(1)));
    await settle();
    expect(host.reports.at(-1)).toMatchObject({ realised: 3, received: 3 });
    const passes = host.agent.compiled;
    host.agent.documents(withHost(bound, 4, accepted(2)));
    expect(host.reports.at(-1)).toMatchObject({ realised: 4, received: 4 });
    await settle();
    expect(host.agent.compiled).toBe(passes);
  });
});
