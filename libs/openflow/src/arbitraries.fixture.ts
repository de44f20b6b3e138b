import fc from 'fast-check';
import { FIELDS, type FieldName } from './fields.js';
import { type Action, type Bucket, type Flow, type Group, type GroupSelection } from './model.js';
import { type LearnAction, type LearnSpec, type Match, type Meter, type SubField } from './model.js';
import { type CtFilter, type CtTuple } from './wire/messages.js';

/** Random values of the model in the form that reading gives: masks that say something, time-outs over 0. */
const NAMES = Object.keys(FIELDS) as FieldName[];
const name = fc.constantFrom(...NAMES);
const word = (bits: number) => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
export const u8 = fc.nat(0xff);
export const u16 = fc.nat(0xffff);
export const u32 = fc.nat(0xffffffff);
export const u64 = word(64);
export const bytes = fc.uint8Array({ maxLength: 40 });

const fieldMatch = (field: FieldName) => {
  const { bits } = FIELDS[field];
  const full = (1n << BigInt(bits)) - 1n;
  const masked = fc
    .tuple(word(bits), word(bits))
    .filter(([, mask]) => mask !== 0n && mask !== full)
    .map(([value, mask]) => ({ value: value & mask, mask }));
  return fc.oneof(
    word(bits).map((value) => ({ value })),
    masked,
  );
};

export const match: fc.Arbitrary<Match> = fc
  .uniqueArray(name, { maxLength: 6 })
  .chain((names) =>
    fc
      .tuple(...names.map(fieldMatch))
      .map((values) => Object.fromEntries(names.map((n, i) => [n, values[i]])) as Match),
  );

const subField: fc.Arbitrary<SubField> = name.chain((field) =>
  fc
    .nat(FIELDS[field].bits - 1)
    .chain((offset) =>
      fc.integer({ min: 1, max: FIELDS[field].bits - offset }).map((bits) => ({ field, offset, bits })),
    ),
);

const learnSpec: fc.Arbitrary<LearnSpec> = subField.chain((dst) =>
  fc.oneof(
    word(dst.bits).map((value) => ({ kind: 'match-value' as const, dst, value })),
    word(dst.bits).map((value) => ({ kind: 'load-value' as const, dst, value })),
    subField.map((src) => ({ kind: 'match-field' as const, dst, src: { ...src, bits: dst.bits } })),
    subField.map((src) => ({ kind: 'load-field' as const, dst, src: { ...src, bits: dst.bits } })),
  ),
);

const port = fc.oneof(
  fc.nat(0xfeff),
  fc.constantFrom('in_port' as const, 'controller' as const, 'local' as const, 'normal' as const),
);

/** Without the keys that are undefined, as reading gives it. */
function said<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

const setField = name.chain((field) =>
  fieldMatch(field).map((m) => ({ kind: 'set-field' as const, field, ...m })),
);
const move = fc
  .tuple(subField, subField)
  .map(([src, dst]) => ({ kind: 'move' as const, src, dst: { ...dst, bits: src.bits } }));

const learnExtras = fc.record({
  finIdleTimeout: maybe(fc.integer({ min: 1, max: 0xffff })),
  finHardTimeout: maybe(fc.integer({ min: 1, max: 0xffff })),
  limit: maybe(fc.integer({ min: 1, max: 0xffffffff })),
  resultDst: maybe(subField.map((s) => ({ ...s, bits: 1 }))),
  deleteLearned: maybe(fc.constant(true)),
});

const ct = fc
  .record({
    zone: fc.oneof(
      u16,
      subField.map((s) => ({ ...s, offset: s.offset & 0x3f, bits: Math.min(s.bits, 64) })),
    ),
    commit: maybe(fc.constant(true)),
    force: maybe(fc.constant(true)),
    table: maybe(fc.nat(0xfe)),
    exec: maybe(fc.array(fc.oneof(setField, move), { minLength: 1, maxLength: 3 })),
  })
  .map((c) => said({ kind: 'ct' as const, ...c })) as fc.Arbitrary<Action>;

const sample = fc
  .record({
    probability: u16,
    collectorSet: u32,
    domain: u32,
    point: u32,
    port: maybe(fc.nat(0xfffe)),
    direction: maybe(fc.constantFrom('ingress' as const, 'egress' as const)),
  })
  .map((s) => said({ kind: 'sample' as const, ...s })) as fc.Arbitrary<Action>;

const controller = fc
  .record({ maxLen: u16, userdata: bytes, reason: maybe(u8), meter: maybe(u32) })
  .map((c) => said({ kind: 'controller' as const, ...c })) as fc.Arbitrary<Action>;

const simpleAction: fc.Arbitrary<Action> = fc.oneof(
  port.map((p) => ({ kind: 'output' as const, port: p })),
  fc.integer({ min: 1, max: 0xfffe }).map((maxLen) => ({ kind: 'output' as const, port: 7, maxLen })),
  setField,
  move,
  ct,
  fc.constant({ kind: 'ct-clear' as const }),
  sample,
  fc.constantFrom({ kind: 'push-vlan' as const }, { kind: 'pop-vlan' as const }),
  u8.map((table) => ({ kind: 'resubmit' as const, table })),
  u32.map((group) => ({ kind: 'group' as const, group })),
  u32.map((meter) => ({ kind: 'meter' as const, meter })),
  fc.tuple(u16, u32).map(([p, maxLen]) => ({ kind: 'output-trunc' as const, port: p, maxLen })),
  controller,
  fc
    .tuple(u8, u16, u64, u16, u16, fc.array(learnSpec, { maxLength: 4 }), learnExtras)
    .map(([table, priority, cookie, idleTimeout, hardTimeout, specs, extras]) => ({
      ...(said(extras) as Pick<LearnAction, keyof LearnAction & keyof typeof extras>),
      kind: 'learn' as const,
      table,
      priority,
      cookie,
      idleTimeout,
      hardTimeout,
      specs,
    })),
);

export const appliedActions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: simpleAction },
    {
      weight: 1,
      arbitrary: fc
        .array(simpleAction, { maxLength: 3 })
        .map((actions) => ({ kind: 'clone' as const, actions: [{ kind: 'clone' as const, actions }] })),
    },
  ),
  { maxLength: 5 },
);

export const actions: fc.Arbitrary<Action[]> = fc
  .tuple(appliedActions, fc.option(u8, { nil: undefined }))
  .map(([applied, table]) => (table === undefined ? applied : [...applied, { kind: 'goto', table }]));

const timeout = fc.option(fc.integer({ min: 1, max: 0xffff }), { nil: undefined });

export const flow: fc.Arbitrary<Flow> = fc
  .tuple(fc.nat(0xfe), u16, match, actions, u64, timeout, timeout)
  .map(([table, priority, m, a, cookie, idleTimeout, hardTimeout]) => ({
    table,
    priority,
    match: m,
    actions: a,
    cookie,
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(hardTimeout === undefined ? {} : { hardTimeout }),
  }));

const bucket: fc.Arbitrary<Bucket> = fc
  .tuple(appliedActions, fc.option(fc.nat(0xfeff), { nil: undefined }))
  .map(([a, watchPort]) => ({ actions: a, ...(watchPort === undefined ? {} : { watchPort }) }));

const selection: fc.Arbitrary<GroupSelection> = fc
  .tuple(fc.uniqueArray(name, { maxLength: 5 }), maybe(fc.bigInt({ min: 1n, max: 0xffffffffn })))
  .map(([fields, param]) => ({
    method: 'hash' as const,
    fields: NAMES.filter((n) => fields.includes(n)),
    ...(param === undefined ? {} : { param }),
  }));

const tuple: fc.Arbitrary<CtTuple> = fc.constantFrom(4 as const, 6 as const).chain((family) => {
  // Far from the addresses that stand for IPv4.
  const address = family === 4 ? word(32) : word(80).map((a) => (0xfdn << 120n) | (a << 8n));
  const numbers = { srcPort: u16, dstPort: u16, icmpId: u16, icmpType: u8, icmpCode: u8 };
  const optional = Object.fromEntries(Object.entries(numbers).map(([k, v]) => [k, maybe(v)]));
  return fc
    .record({ src: address, dst: maybe(address), ...optional })
    .map((t) => said({ family, ...t })) as fc.Arbitrary<CtTuple>;
});

export const ctFilter = fc
  .record({
    zone: maybe(u16),
    protocol: maybe(fc.integer({ min: 1, max: 255 })),
    original: maybe(tuple),
    reply: maybe(tuple),
  })
  .map(said) as fc.Arbitrary<CtFilter>;

const counted = word(63);
export const portStats = fc.record({
  number: u32,
  rxPackets: counted,
  txPackets: counted,
  rxBytes: counted,
  txBytes: counted,
  rxDropped: counted,
  txDropped: counted,
  rxErrors: counted,
  txErrors: counted,
  durationMs: fc.nat(0xffffffff),
});

export const groupStats = fc.record({
  id: u32,
  packets: u64,
  bytes: u64,
  durationMs: fc.nat(0xffffffff),
  buckets: fc.array(fc.record({ packets: u64, bytes: u64 }), { maxLength: 3 }),
});

export const group: fc.Arbitrary<Group> = fc
  .tuple(
    u32,
    fc.constantFrom('all' as const, 'select' as const, 'indirect' as const, 'fast-failover' as const),
    fc.array(bucket, { maxLength: 3 }),
    fc.option(fc.integer({ min: 2, max: 0xffff }), { nil: undefined }),
    maybe(selection),
  )
  .map(([id, type, buckets, weight, choice]) => ({
    ...(choice === undefined ? {} : { selection: choice }),
    id,
    type,
    buckets: buckets.map((b) => (type === 'select' && weight !== undefined ? { ...b, weight } : b)),
  }));

export const meter: fc.Arbitrary<Meter> = fc
  .tuple(u32, fc.constantFrom('kbps' as const, 'pktps' as const), u32, fc.option(u32, { nil: undefined }))
  .map(([id, unit, rate, burst]) => ({ id, unit, rate, ...(burst === undefined ? {} : { burst }) }));
