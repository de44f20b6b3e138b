import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as any from '../arbitraries.fixture.js';
import { decode } from './decode.js';
import { encode } from './encode.js';
import { type FlowUpdate, type OfMessage } from './messages.js';

const flags = fc.record({ atomic: fc.boolean(), ordered: fc.boolean() });
const id = fc.option(fc.nat(0xffff), { nil: undefined }).map((n) => (n === undefined ? {} : { id: n }));
const counts = { packets: any.u64, bytes: any.u64, durationMs: fc.nat(0xffffffff) };
const filter = fc
  .record({ table: fc.nat(0xfe), cookie: any.u64, cookieMask: any.u64, match: any.match })
  .chain((f) => fc.constantFrom(f, { cookie: f.cookie, cookieMask: f.cookieMask, match: f.match }));
const kind = <K extends OfMessage['kind']>(k: K) => fc.constant(k);
const ofPort = fc.record({
  number: any.u32,
  name: fc.stringMatching(/^[a-z0-9]{1,15}$/),
  linkUp: fc.boolean(),
  adminUp: fc.boolean(),
});

const mods: fc.Arbitrary<OfMessage> = fc.oneof(
  any.flow.map((flow) => ({ kind: 'flow-mod' as const, command: 'add' as const, flow })),
  any.flow.map((flow) => ({ kind: 'flow-mod' as const, command: 'add' as const, flow, notifyRemoved: true })),
  any.flow.map(({ table, priority, match }) => ({
    kind: 'flow-mod' as const,
    command: 'delete-strict' as const,
    flow: { table, priority, match },
  })),
  filter.map((f) => ({ kind: 'flow-mod' as const, command: 'delete' as const, ...f })),
  fc.record({ kind: kind('group-mod'), command: fc.constantFrom('add', 'modify'), group: any.group }),
  fc.record({ kind: kind('group-mod'), command: fc.constant('delete' as const), id: any.u32 }),
  fc.record({ kind: kind('meter-mod'), command: fc.constantFrom('add', 'modify'), meter: any.meter }),
  fc.record({ kind: kind('meter-mod'), command: fc.constant('delete' as const), id: any.u32 }),
);

const update: fc.Arbitrary<FlowUpdate> = fc.oneof(
  fc.record({
    event: fc.constantFrom('initial' as const, 'added' as const, 'modified' as const, 'removed' as const),
    flow: any.flow,
    reason: any.u8,
  }),
  any.u32.map((xid) => ({ event: 'own' as const, xid })),
  fc.constantFrom({ event: 'paused' as const }, { event: 'resumed' as const }),
);

const readings: fc.Arbitrary<OfMessage> = fc.oneof(
  filter.map((f) => ({ kind: 'flow-stats-request' as const, ...f })),
  fc.record({
    kind: kind('flow-stats-reply'),
    more: fc.boolean(),
    flows: fc.array(fc.record({ flow: any.flow, ...counts }), { maxLength: 3 }),
    unreadable: fc.constant([]),
  }),
  id.map((i) => ({ kind: 'group-desc-request' as const, ...i })),
  fc.record({
    kind: kind('group-desc-reply'),
    more: fc.boolean(),
    groups: fc.array(any.group, { maxLength: 3 }),
  }),
  id.map((i) => ({ kind: 'meter-config-request' as const, ...i })),
  id.map((i) => ({ kind: 'meter-stats-request' as const, ...i })),
  fc.record({
    kind: kind('meter-config-reply'),
    more: fc.boolean(),
    meters: fc.array(any.meter, { maxLength: 3 }),
  }),
  fc.record({
    kind: kind('meter-stats-reply'),
    more: fc.boolean(),
    stats: fc.array(
      fc.record({
        id: any.u32,
        packetsIn: any.u64,
        bytesIn: any.u64,
        durationMs: fc.nat(0xffffffff),
        dropped: fc.record({ packets: any.u64, bytes: any.u64 }),
      }),
      { maxLength: 3 },
    ),
  }),
  id.map((i) => ({ kind: 'group-stats-request' as const, ...i })),
  fc.constant({ kind: 'table-stats-request' as const }),
  fc.option(fc.nat(0xfffe), { nil: undefined }).map((port) => ({
    kind: 'port-stats-request' as const,
    ...(port === undefined ? {} : { port }),
  })),
  fc.record({
    kind: kind('port-stats-reply'),
    more: fc.boolean(),
    stats: fc.array(any.portStats, { maxLength: 3 }),
  }),
  fc.record({
    kind: kind('group-stats-reply'),
    more: fc.boolean(),
    stats: fc.array(any.groupStats, { maxLength: 3 }),
  }),
  fc.record({
    kind: kind('table-stats-reply'),
    more: fc.boolean(),
    stats: fc.array(fc.record({ table: any.u8, active: any.u32, lookups: any.u64, matched: any.u64 }), {
      maxLength: 3,
    }),
  }),
  fc.constant({ kind: 'port-desc-request' as const }),
  fc.record({ kind: kind('port-desc-reply'), more: fc.boolean(), ports: fc.array(ofPort, { maxLength: 3 }) }),
  fc.record({
    kind: kind('flow-monitor-request'),
    command: fc.constantFrom('add' as const, 'modify' as const, 'delete' as const),
    id: any.u32,
    table: fc.nat(0xfe),
    match: any.match,
    initial: fc.boolean(),
    added: fc.boolean(),
    removed: fc.boolean(),
    modified: fc.boolean(),
    instructions: fc.boolean(),
    own: fc.boolean(),
  }),
  fc.record({
    kind: kind('flow-monitor-reply'),
    more: fc.boolean(),
    updates: fc.array(update, { maxLength: 3 }),
  }),
);

const session: fc.Arbitrary<OfMessage> = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 1, max: 70 }), { minLength: 1 }).map((v) => ({
    kind: 'hello' as const,
    versions: v.sort((a, b) => a - b),
  })),
  fc.record({ kind: kind('error'), type: any.u16, code: any.u16, data: any.bytes }),
  fc.record({ kind: kind('echo-request'), data: any.bytes }),
  fc.record({ kind: kind('echo-reply'), data: any.bytes }),
  fc.record({
    kind: fc.constantFrom('features-request', 'barrier-request', 'barrier-reply', 'get-config-request'),
  }) as fc.Arbitrary<OfMessage>,
  fc.record({
    kind: kind('features-reply'),
    datapathId: any.u64,
    buffers: any.u32,
    tables: any.u8,
    auxiliary: any.u8,
    capabilities: any.u32,
  }),
  fc.record({
    kind: fc.constantFrom('set-config' as const, 'get-config-reply' as const),
    missSendLen: any.u16,
    matchFragments: fc.boolean(),
  }),
  fc.record({
    kind: kind('set-async'),
    packetIn: any.u32,
    portStatus: any.u32,
    flowRemoved: any.u32,
    requestForward: any.u32,
  }),
  mods.map((message) => ({ kind: 'request-forward' as const, message })),
  any.u16.map((zone) => ({ kind: 'ct-flush-zone' as const, zone })),
  any.ctFilter.map((f) => ({ kind: 'ct-flush' as const, ...f })),
  fc.record({
    kind: kind('set-packet-in-format'),
    format: fc.constantFrom('standard' as const, 'nxt-packet-in2' as const),
  }),
  fc.record({
    kind: kind('bundle-control'),
    bundle: any.u32,
    control: fc.constantFrom('open' as const, 'close' as const, 'commit' as const, 'discard' as const),
    reply: fc.boolean(),
    flags,
  }),
  fc.record({ kind: kind('bundle-add'), bundle: any.u32, flags, message: mods }),
  fc.record({
    kind: kind('packet-in'),
    table: any.u8,
    cookie: any.u64,
    reason: any.u8,
    metadata: any.match,
    userdata: any.bytes,
    frame: any.bytes,
  }),
  fc.record({ kind: kind('packet-out'), match: any.match, actions: any.appliedActions, frame: any.bytes }),
  fc.record({
    kind: kind('flow-removed'),
    flow: any.flow.map(({ table, priority, match, cookie }) => ({ table, priority, match, cookie })),
    reason: any.u8,
    ...counts,
  }),
  fc.record({
    kind: kind('port-status'),
    reason: fc.constantFrom('add' as const, 'delete' as const, 'modify' as const),
    port: ofPort,
  }),
  fc.record({ kind: kind('unknown'), type: fc.integer({ min: 40, max: 255 }), body: any.bytes }),
);

const message = fc.oneof(mods, readings, session);

describe('the OpenFlow codec', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(message, any.u32, (m, xid) => {
        expect(decode(encode(m, xid))).toEqual({ ok: true, value: { xid, message: m } });
      }),
      { numRuns: 1500 },
    );
  });

  it('answers random bytes with a problem or a message, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), any.u8, (body, type) => {
        const frame = new Uint8Array(8 + body.length);
        frame.set([6, type % 36, (frame.length >> 8) & 0xff, frame.length & 0xff]);
        frame.set(body, 8);
        const got = decode(frame);
        if (!got.ok) expect(got.error.details[0]?.field).toMatch(/^openflow\[\d+\]$/);
      }),
      { numRuns: 3000 },
    );
  });

  it('survives flipped bits and cut ends of real messages', () => {
    fc.assert(
      fc.property(
        message,
        fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 4 }),
        fc.nat(),
        (m, flips, cut) => {
          const frame = encode(m, 1);
          for (const [at, bit] of flips) {
            const i = at % frame.length;
            frame[i] = (frame[i] ?? 0) ^ (1 << bit);
          }
          expect(typeof decode(frame).ok).toBe('boolean');
          expect(typeof decode(frame.subarray(0, cut % (frame.length + 1))).ok).toBe('boolean');
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('names offset and reason of what is wrong', () => {
    const frame = encode({ kind: 'barrier-request' }, 1);
    frame[3] = 200;
    expect(decode(frame)).toMatchObject({ ok: false, error: { details: [{ field: 'openflow[8]' }] } });
  });

  it('refuses to write what OpenFlow can not hold', () => {
    const goto = { kind: 'goto', table: 1 } as const;
    const flow = { table: 0, priority: 1, match: {}, actions: [goto, goto], cookie: 0n };
    expect(() => encode({ kind: 'flow-mod', command: 'add', flow }, 1)).toThrow(RangeError);
    expect(() => encode({ kind: 'echo-request', data: new Uint8Array(70000) }, 1)).toThrow(RangeError);
  });
});
