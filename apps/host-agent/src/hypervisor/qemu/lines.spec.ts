import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QmpLines, readLine, type QmpLine } from './lines.js';

const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}';
const STREAM = [
  GREETING,
  '{"return": {}, "id": 1}',
  '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "MIGRATION", "data": {"status": "active"}}',
  '{"id": 2, "error": {"class": "GenericError", "desc": "Gäste gibt es nicht"}}',
];
const READ: readonly QmpLine[] = [
  { kind: 'greeting', version: '7.2.22' },
  { kind: 'return', id: 1, value: {} },
  { kind: 'event', name: 'MIGRATION', data: { status: 'active' } },
  { kind: 'error', id: 2, class: 'GenericError', desc: 'Gäste gibt es nicht' },
];

const kinds = ['greeting', 'return', 'error', 'event', 'garbled'];

describe('lines of a monitor', () => {
  it('are read however they are cut, within a character too', () => {
    const whole = Buffer.from(STREAM.map((line) => `${line}\r\n`).join(''));
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
        const lines = new QmpLines();
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const found = at.slice(1).flatMap((end, i) => lines.push(whole.subarray(at[i], end)));
        expect(found).toEqual(READ);
      }),
    );
  });

  it('that make no sense are told as such, with their beginning', () => {
    for (const line of [
      '{',
      '[]',
      '1',
      'null',
      '{}',
      '{"return": {}}',
      '{"return": 1, "id": "1"}',
      '{"QMP": 1}',
    ])
      expect(readLine(line)).toMatchObject({
        kind: 'garbled',
        reason: expect.stringContaining(JSON.stringify(line)),
      });
  });

  it('throw nothing, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
        const lines = new QmpLines();
        for (const chunk of chunks) for (const line of lines.push(chunk)) expect(kinds).toContain(line.kind);
      }),
    );
    const word = fc.constantFrom(
      'QMP',
      'version',
      'qemu',
      'return',
      'error',
      'event',
      'data',
      'id',
      'class',
      'desc',
    );
    const json = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), tie('object')),
      object: fc.dictionary(word, tie('any'), { maxKeys: 4 }),
    }));
    fc.assert(fc.property(json.object, (v) => expect(kinds).toContain(readLine(JSON.stringify(v)).kind)));
  });

  it('that are too long are dropped once, and the next is read', () => {
    const lines = new QmpLines();
    const found = [...Array<null>(40)].flatMap(() => lines.push(Buffer.from('x'.repeat(60_000))));
    expect(found).toEqual([{ kind: 'garbled', reason: expect.stringContaining('longer') }]);
    expect(lines.push(Buffer.from(`xx\n${GREETING}\n`))).toEqual([READ[0]]);
  });

  it('nested as deep as may be do no harm', () => {
    const lines = new QmpLines();
    const deep = `${'['.repeat(500_000)}\n`;
    expect(lines.push(Buffer.from(deep))).toMatchObject([{ kind: 'garbled' }]);
  });
});
