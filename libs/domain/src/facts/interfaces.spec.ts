import { describe, expect, it } from '@jest/globals';
import { type Epoch, type HostName, type IfaceId, type PortId } from '#kernel';
import { type Command } from '../model/commands.js';
import { MAC_A, MAC_B, handedIn, plug, raw, threeHosts, types } from '../testing.js';

const port = 'p1' as PortId;

describe('an interface is plugged in', () => {
  it('gets a free static port of its profile, connected and bound at epoch 1', () => {
    const w = threeHosts();
    expect(w.facts('h1', plug('if-1'))).toMatchObject([
      { type: 'PortConnected', port: 'p1', connectee: { ifaceId: 'if-1', mac: MAC_A, owner: 'vm1' } },
      { type: 'PortBound', port: 'p1', host: 'h1', epoch: 1 },
      { type: 'FactsAccepted', host: 'h1', seq: 1 },
    ]);
    expect(w.state.byIface.get('if-1' as IfaceId)).toBe('p1');
  });

  it('makes one more port when none is free and the group expands', () => {
    const w = threeHosts({ ports: 0 });
    expect(types(w.facts('h1', plug('if-1')))).toEqual([
      'PortCreated',
      'PortConnected',
      'PortBound',
      'FactsAccepted',
    ]);
  });

  it('is refused, and the rest goes on, when the group is full', () => {
    const w = threeHosts({ ports: 1, autoExpand: false });
    const events = w.facts('h1', plug('if-1'), plug('if-2', MAC_B), {
      type: 'InterfaceUnplugged',
      ifaceId: 'x',
    });
    expect(events).toMatchObject([
      { type: 'PortConnected' },
      { type: 'PortBound' },
      { type: 'FactRefused', seq: 2, code: 'group-full' },
      { type: 'FactsAccepted', seq: 3 },
    ]);
  });

  it.each([
    ['no profile', { profile: null }, 'quarantined'],
    ['an unknown group', { profile: 'nope' }, 'no-group'],
    ['a switch that the host is no member of', { switch: 'other' }, 'not-member'],
    ['a multicast MAC', { mac: '01:00:00:00:00:01' }, 'malformed'],
    ['a malformed interface id', { ifaceId: 'a b' }, 'malformed'],
  ])('is refused with %s', (_what, more, code) => {
    const events = threeHosts().facts('h1', plug('if-1', MAC_A, more));
    expect(events).toMatchObject([{ type: 'FactRefused', code }, { type: 'FactsAccepted' }]);
  });

  it('is refused when its MAC is in the segment already, and not when it is in another', () => {
    const w = threeHosts();
    w.apply({
      kind: 'PortGroup',
      name: 'db',
      spec: { switch: 'lan', policy: { vlan: { mode: 'access', id: 7 } } },
    });
    w.facts('h1', plug('if-1'));
    expect(w.facts('h2', plug('if-2'))).toMatchObject([{ code: 'mac-duplicate' }, {}]);
    expect(types(w.facts('h2', plug('if-3', MAC_A, { profile: 'db' })))).toContain('PortBound');
  });

  it('is refused when its MAC is not its port’s', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    expect(w.facts('h1', plug('if-1', MAC_B))).toMatchObject([{ code: 'mac-mismatch' }, {}]);
  });

  it('says nothing twice: repeated facts, repeated plugs, former boots', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    const batch = (boot: string) =>
      w.do({
        type: 'IngestFacts',
        host: 'h1' as never,
        boot,
        facts: [{ seq: 1, at: 0, fact: { type: 'InterfaceUnplugged', ifaceId: 'if-1' } }],
      });
    expect(batch('boot-1')).toEqual([]);
    expect(types(w.facts('h1', plug('if-1')))).toEqual(['FactsAccepted']);
    expect(types(batch('boot-2'))).toContain('PortUnbound');
    expect(batch('boot-1')).toEqual([]);
  });
});

describe('an interface is unplugged', () => {
  it('leaves its static port connected and unbound; the next plug binds at the next epoch', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    const events = w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' });
    expect(types(events)).toEqual(['PortUnbound', 'FactsAccepted']);
    expect(types(w.facts('h1', ...handedIn(port, 1)))).toContain('BindingRetired');
    expect(w.facts('h2', plug('if-1'))).toMatchObject([{ type: 'PortBound', host: 'h2', epoch: 2 }, {}]);
  });

  it('retires only when its host has handed in its counters, though none of them were known before', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' }, plug('if-1'));
    expect(w.state.ports.get(port)).toMatchObject({
      active: { host: 'h1', epoch: 2 },
      retiring: [{ host: 'h1', epoch: 1 }],
    });
    // The host heard of the first binding only now, and counted the guest that was back under it.
    const segment = { port, epoch: 1 as never, incarnation: 'i1' };
    w.facts('h1', { type: 'SegmentOpened', ...segment, raw: raw(0) });
    expect(types(w.facts('h1', { type: 'SegmentClosed', ...segment, raw: raw(5) }))).toContain(
      'BindingRetired',
    );
  });

  it('retires an earlier binding without segments with the first segment of a later one', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' }, plug('if-1'));
    const opened = { port, epoch: 2 as never, incarnation: 'i2', raw: raw(0) };
    expect(w.facts('h1', { type: 'SegmentOpened', ...opened })).toMatchObject([
      { type: 'SegmentOpened', epoch: 2 },
      { type: 'BindingRetired', epoch: 1 },
      {},
    ]);
  });

  it('retires only when the open segment is closed', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    const segment = { port, epoch: 1 as never, incarnation: 'i1' };
    w.facts('h1', { type: 'SegmentOpened', ...segment, raw: raw(0) });
    expect(types(w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' }))).toEqual([
      'PortUnbound',
      'FactsAccepted',
    ]);
    expect(w.state.ports.get(port)?.retiring).toEqual([{ host: 'h1', epoch: 1 }]);
    expect(types(w.facts('h1', { type: 'SegmentClosed', ...segment, raw: raw(5) }))).toEqual([
      'SegmentClosed',
      'BindingRetired',
      'FactsAccepted',
    ]);
  });

  it('takes an ephemeral port with it; the tombstone keeps epoch and ledger, the id is not used again', () => {
    const w = threeHosts({ binding: 'ephemeral', ports: 1 });
    w.facts('h1', plug('if-1'));
    w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' }, ...handedIn(port, 1));
    expect(w.state.ports.get(port)).toMatchObject({ deleted: true, epoch: 1, connectee: null });
    expect(w.facts('h1', plug('if-1'))).toMatchObject([{ type: 'PortCreated', port: 'p2' }, {}, {}, {}]);
    expect(w.facts('h1', plug('if-2', MAC_B))).toMatchObject([{ code: 'group-full' }, {}]);
  });
});

describe('a batch of facts', () => {
  it('that is nothing but nonsense puts a few lines into the log, and how many more there were', () => {
    const w = threeHosts();
    const nonsense = Array.from(
      { length: 5_000 },
      () => ({ type: 'PortActivated', port, epoch: 9 as Epoch }) as const,
    );
    const events = w.facts('h1', ...nonsense);
    expect(events).toHaveLength(52);
    expect(events.at(-2)).toMatchObject({ type: 'FactRefused', code: 'many', seq: 5_000 });
    expect(JSON.stringify(events.at(-2))).toContain('4950 more facts');
    expect(events.at(-1)).toMatchObject({ type: 'FactsAccepted', seq: 5_000 });
  });

  const ingest = (boot: string, after: number | undefined, ...seqs: number[]): Command => ({
    type: 'IngestFacts',
    host: 'h1' as HostName,
    boot,
    ...(after === undefined ? {} : { after }),
    facts: seqs.map((seq) => ({ seq, at: 0, fact: { type: 'InterfaceUnplugged', ifaceId: 'x' } })),
  });

  it('is not taken in while facts before it are missing: for now, and nothing is skipped', () => {
    const w = threeHosts();
    expect(w.refused(ingest('b', 2, 3))).toMatchObject({
      code: 'unavailable',
      retry: true,
      details: [{ field: 'after', expected: 'at most 0' }],
    });
    expect(w.do(ingest('b', 0, 1, 3))).toMatchObject([{ type: 'FactsAccepted', seq: 3 }]);
    expect(w.do(ingest('b', 2, 4))).toMatchObject([{ type: 'FactsAccepted', seq: 4 }]);
    expect(w.refused(ingest('next', 4, 5))).toMatchObject({ code: 'unavailable' });
  });

  it('of a sender that does not say what stands before may leave numbers out', () => {
    expect(threeHosts().do(ingest('b', undefined, 7))).toMatchObject([{ type: 'FactsAccepted', seq: 7 }]);
  });
});

describe('an inventory', () => {
  it('makes up for missed plugs and unplugs, and is idempotent', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    const inventory = { type: 'Inventory' as const, interfaces: [plug('if-2', MAC_B).interface] };
    expect(types(w.facts('h1', inventory))).toEqual([
      'PortUnbound',
      'PortConnected',
      'PortBound',
      'FactsAccepted',
    ]);
    expect(types(w.facts('h1', inventory))).toEqual(['FactsAccepted']);
  });
});
