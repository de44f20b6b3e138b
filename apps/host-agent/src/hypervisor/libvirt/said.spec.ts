import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Lines } from './lines.js';
import { readDomains, readEvent, readLook, readPause, readTerms } from './said.js';

const AT = '2026-11-23 05:07:08.737+0000: ';
const UUID = '8a1e4c1e-0000-4000-8000-000000000001';
const STATS = "Domain: 'web'\n  state.state=3\n  state.reason=2\n\n";

describe('what virsh prints', () => {
  it('of events: their beginnings are read, and nothing else', () => {
    expect(readEvent(`${AT}event 'lifecycle' for domain 'web': Suspended Migrated`)).toEqual({
      event: 'lifecycle',
      domain: 'web',
      detail: 'Suspended Migrated',
    });
    expect(readEvent(`${AT}event 'job-completed' for domain 'it's': it':`)).toMatchObject({ domain: "it's" });
    expect(readEvent(`${AT}event 'job-completed' for domain 'web':`)).toMatchObject({ detail: '' });
    for (const line of ['', '\toperation: 5', "event 'lifecycle' for domain 'web': x", `${AT}event loop`])
      expect(readEvent(line)).toBeNull();
  });

  it('of domains: each with its state, if it still had one', () => {
    const said = `${UUID} web\n${UUID.replace('1', '2')}  two words \n\n${STATS}`;
    expect(readDomains(said)).toEqual({
      ok: true,
      value: [
        { uuid: UUID, name: 'web', state: { state: 3, reason: 2 } },
        { uuid: UUID.replace('1', '2'), name: 'two words', state: null },
      ],
    });
    expect(readDomains('\n')).toEqual({ ok: true, value: [] });
    expect(readDomains(`error: ${UUID} web\n`)).toMatchObject({ error: { details: [{ field: 'domain' }] } });
  });

  it('of one domain: its state, and the job that runs', () => {
    expect(readLook(`Job type: 2\n\noperation: 5\nx: 1\n${STATS}`)).toEqual({
      job: { operation: 5 },
      state: { state: 3, reason: 2 },
    });
    expect(readLook(`Job type: 0\n\n${STATS}`).job).toBeNull();
    expect(readLook(STATS).job).toBeNull();
    expect(readLook('Job type: 3\n\noperation: 5\n')).toEqual({ job: null, state: null });
  });

  it('of a job that is over: the guest’s pause', () => {
    expect(readPause('\tdowntime: 93')).toBe(93);
    for (const other of ['_net: 93', ': -1', ': 1e9', ': 1.5', `: ${'9'.repeat(40)}`, ':'])
      expect(readPause(`\tdowntime${other}`)).toBeNull();
  });

  it('of its terms: both or none', () => {
    const said =
      'Id:             1\nName:           web\nPersistent:     yes\nAutostart:      disable\n\n8796093022207\n';
    expect(readTerms(said)).toEqual({ ok: true, value: { isPersistent: true, speed: '8796093022207' } });
    expect(readTerms('8796093022207\n')).toMatchObject({ ok: false });
    expect(readTerms('Persistent:     maybe\n\n1\n')).toMatchObject({ ok: false });
  });

  it('is read without a fault whatever it is', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '\n',
        "'",
        ': ',
        "Domain: 'web'",
        '  state.state=',
        '  state.reason=',
        'Job type: ',
        UUID,
        AT,
      ),
      fc.nat().map(String),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        readDomains(text);
        readLook(text);
        readTerms(text);
        for (const line of text.split('\n')) void [readEvent(line), readPause(line)];
      }),
    );
  });

  it('gives back every list that virsh could print', () => {
    const name = fc.stringMatching(/^[^\s/'][^\n\r/']{0,30}[^\s/']$/u);
    const domain = fc.record({
      uuid: fc.uuid(),
      name,
      state: fc.record({ state: fc.nat(8), reason: fc.nat(20) }),
    });
    const domains = fc.uniqueArray(domain, { selector: (d) => d.name });
    fc.assert(
      fc.property(domains, (all) => {
        const listed = all.map((d) => `${d.uuid} ${d.name}\n`);
        const stats = all.map(
          (d) => `Domain: '${d.name}'\n  state.state=${d.state.state}\n  state.reason=${d.state.reason}\n\n`,
        );
        expect(readDomains([...listed, '\n', ...stats].join(''))).toEqual({ ok: true, value: all });
      }),
    );
  });
});

describe('lines of a program', () => {
  it('are whole however they come, and none is kept that has no end', () => {
    const text = 'Gäste\n\nkommen\n';
    const whole = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
        const lines = new Lines();
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const found = at.slice(1).flatMap((end, i) => lines.push(whole.subarray(at[i], end)));
        expect(found).toEqual(['Gäste', '', 'kommen']);
      }),
    );
    const lines = new Lines();
    for (let i = 0; i < 100; i++) expect(lines.push(Buffer.alloc(10_000, 'x'))).toEqual([]);
    expect(lines.push(Buffer.from('\nnext\n'))).toEqual([expect.any(String), 'next']);
    expect(lines.push(Buffer.alloc(10_000, 'x'))).toEqual([]);
  });
});
