import fc from 'fast-check';
import { FIELDS, type FieldName } from './fields.js';
import { type Action, type Bucket, type Flow, type Group, type LearnSpec, type Match } from './model.js';
import { type Meter, type SubField } from './model.js';

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
  ),
);

const port = fc.oneof(
  fc.nat(0xfeff),
  fc.constantFrom('in_port' as const, 'controller' as const, 'local' as const, 'normal' as const),
);

const simpleAction: fc.Arbitrary<Action> = fc.oneof(
  port.map((p) => ({ kind: 'output' as const, port: p })),
  fc.integer({ min: 1, max: 0xfffe }).map((maxLen) => ({ kind: 'output' as const, port: 7, maxLen })),
  name.chain((field) => fieldMatch(field).map((m) => ({ kind: 'set-field' as const, field, ...m }))),
  fc
    .tuple(subField, subField)
    .map(([src, dst]) => ({ kind: 'move' as const, src, dst: { ...dst, bits: src.bits } })),
  fc.constantFrom({ kind: 'push-vlan' as const }, { kind: 'pop-vlan' as const }),
  u8.map((table) => ({ kind: 'resubmit' as const, table })),
  u32.map((group) => ({ kind: 'group' as const, group })),
  u32.map((meter) => ({ kind: 'meter' as const, meter })),
  fc.tuple(u16, u32).map(([p, maxLen]) => ({ kind: 'output-trunc' as const, port: p, maxLen })),
  fc.tuple(u16, bytes).map(([maxLen, userdata]) => ({ kind: 'controller' as const, maxLen, userdata })),
  fc
    .tuple(u8, u16, u64, u16, u16, fc.array(learnSpec, { maxLength: 4 }))
    .map(([table, priority, cookie, idleTimeout, hardTimeout, specs]) => ({
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

export const group: fc.Arbitrary<Group> = fc
  .tuple(
    u32,
    fc.constantFrom('all' as const, 'select' as const, 'indirect' as const, 'fast-failover' as const),
    fc.array(bucket, { maxLength: 3 }),
    fc.option(fc.integer({ min: 2, max: 0xffff }), { nil: undefined }),
  )
  .map(([id, type, buckets, weight]) => ({
    id,
    type,
    buckets: buckets.map((b) => (type === 'select' && weight !== undefined ? { ...b, weight } : b)),
  }));

export const meter: fc.Arbitrary<Meter> = fc
  .tuple(u32, fc.constantFrom('kbps' as const, 'pktps' as const), u32, fc.option(u32, { nil: undefined }))
  .map(([id, unit, rate, burst]) => ({ id, unit, rate, ...(burst === undefined ? {} : { burst }) }));
