import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Lineage, type Revision } from '#kernel';
import { type Snapshot } from '#protocol';
import { AgentHost, BRIDGE, mac, settle, view } from '../agent.fixture.js';

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
    expect(new Set(host.of('SegmentOpened').map((f) => f.incarnation))).toEqual(new Set(['i1', 'i2']));
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
