import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { broughtBy, isOurs, parsePortData, portDataText, type PortData } from './port-data.js';

const LINEAGE = '00000000-0000-4000-8000-000000000001';
const said = { port: 'p17', epoch: 3, lineage: LINEAGE, revision: 41 } as unknown as PortData;
const text = portDataText(said);
const fields = { portolan: 1, ...said };
/** Written by hand, with just these fields in the order of an agent. */
const form = (more: object): string => {
  const all: Record<string, unknown> = { ...fields, ...more };
  return JSON.stringify(Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))));
};

const portData = fc.record({
  port: fc.integer({ min: 1, max: 999_999_999_999_999 }).map((n) => `p${n}`),
  epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  lineage: fc.uuid(),
  revision: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
}) as unknown as fc.Arbitrary<PortData>;

/** What an agent writes, a little damaged; and anything else. */
const damaged = fc
  .tuple(portData, fc.nat(160), fc.nat(4), fc.string({ maxLength: 4 }))
  .map(([data, at, cut, put]) => {
    const whole = portDataText(data);
    return whole.slice(0, at) + put + whole.slice(at + cut);
  });
const likeIt = fc
  .dictionary(fc.constantFrom(...Object.keys(fields), '__proto__', 'x'), fc.jsonValue())
  .map((it) => JSON.stringify(it));

describe('what a guest takes along', () => {
  it('is short, and the same text for the same', () => {
    expect(text).toBe(`{"epoch":3,"lineage":"${LINEAGE}","port":"p17","portolan":1,"revision":41}`);
    fc.assert(fc.property(portData, (data) => portDataText(data).length <= 142));
  });

  it('is read as it was said', () => {
    fc.assert(
      fc.property(portData, (data) =>
        expect(parsePortData(portDataText(data))).toEqual({ ok: true, value: data }),
      ),
    );
  });

  it('is taken to the letter or refused with a reason, whatever stands in the row', () => {
    fc.assert(
      fc.property(fc.oneof(damaged, likeIt, fc.json(), fc.string({ maxLength: 300 })), (any) => {
        const read = parsePortData(any);
        if (read.ok) expect(portDataText(read.value)).toBe(any);
        else expect(read.error.message).not.toBe('');
        expect(typeof isOurs(any)).toBe('boolean');
      }),
    );
  });

  it.each([
    ['too long', form({ more: 'x'.repeat(300) }), '', 'is too long'],
    ['no JSON', '{"portolan":1', '', 'is not what an agent writes'],
    ['no map', '[1]', '', 'is not what an agent writes'],
    ['of another program', '{"port":"p17","revision":41}', '', 'is not what an agent writes'],
    ['of a later version', form({ portolan: 2 }), '.portolan', 'is not a known version'],
    ['lacking', form({ epoch: undefined }), '', 'are not the fields of this version'],
    ['more than that', form({ open: true }), '', 'are not the fields of this version'],
    ['of no port', form({ port: 'p0' }), '.port', 'is not a port id'],
    ['of no lineage', form({ lineage: 'x' }), '.lineage', 'is not a lineage'],
    ['of no epoch', form({ epoch: 0 }), '.epoch', 'is not an epoch'],
    ['of half a revision', form({ revision: 1.5 }), '.revision', 'is not a revision'],
    ['of a revision too great to count', form({ revision: 2 ** 53 }), '.revision', 'is not a revision'],
    ['of a revision in words', form({ revision: '41' }), '.revision', 'is not a revision'],
    ['with blanks', text.replace(':', ': '), '', 'is not in canonical form'],
    ['twice the same field', text.replace('}', ',"revision":41}'), '', 'is not in canonical form'],
  ])('is refused when it is %s', (_what, written, field, reason) => {
    expect(parsePortData(written)).toMatchObject({
      ok: false,
      error: { code: 'invalid', details: [{ field: `external_ids:PortData${field}`, reason }] },
    });
  });

  it('is of this arrival only with its port, epoch and lineage', () => {
    const brought = (more: object) => broughtBy(text, { ...said, ...more });
    expect(brought({})).toEqual({ ok: true, value: 41 });
    const other = LINEAGE.replace('1', '2');
    for (const [field, value] of Object.entries({ port: 'p1', epoch: 2, lineage: other }))
      expect(brought({ [field]: value })).toMatchObject({
        error: { details: [{ field: `external_ids:PortData.${field}`, expected: `${value}` }] },
      });
    expect(broughtBy('', said)).toMatchObject({ ok: false });
  });

  it('is told apart from what another program wrote, in any version', () => {
    for (const ours of [text, form({ portolan: 2, more: [] })]) expect(isOurs(ours)).toBe(true);
    for (const theirs of ['', 'x', '{}', '[{"portolan":1}]', 'null', '"portolan"', '{"a":{"portolan":1}}'])
      expect(isOurs(theirs)).toBe(false);
  });
});
