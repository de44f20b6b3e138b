import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_FEATURES } from '#domain';
import * as contracts from '../index.js';
import {
  encodeBytes,
  encodeText,
  openDocumentBytes,
  parseCommandRequest,
  parseDocument,
  parseReport,
  sealDocument,
} from '../index.js';
import { type PortDocument, type Signer, type Verifier } from '../index.js';

const lineage = '11111111-2222-4333-8444-555555555555';
const port = {
  type: 'port',
  schema: 1,
  key: 'h.a.port.p1',
  lineage,
  revision: 4,
  port: 'p1',
  host: 'a',
  switch: 'dvs',
  group: 'web',
  minRevision: 3,
  epoch: 1,
  role: 'active',
  connectee: { kind: 'vm', ifaceId: 'vm1-0', mac: '02:00:00:00:00:01', owner: 'vm1' },
  override: {
    vlan: { mode: 'access', id: 10 },
    filter: {
      stateful: false,
      default: 'allow',
      rules: [{ name: 'r', direction: 'in', tier: 1, enabled: true, action: 'drop', match: {} }],
    },
  },
  handover: null,
  lease: null,
} as unknown as PortDocument;

const command = (c: unknown) =>
  JSON.stringify({ v: 1, commandId: 'c1', actor: 'me', correlationId: 'x', command: c });
const problemOf = (text: string) => {
  const parsed = parseCommandRequest(text);
  return parsed.ok ? undefined : parsed.error.details[0];
};

const signer: Signer = { kid: 'k1', sign: (body) => `s${body.length}` };
const verifier: Verifier = { verify: (body, sig, kid) => kid === 'k1' && sig === `s${body.length}` };

const parsers = Object.entries(contracts)
  .filter(([name]) => /^parse[A-Z]/.test(name))
  .map(([, fn]) => fn as contracts.Decoder<unknown>);

const doc = (type: string) => ({ type, schema: 1, key: 'k', lineage, revision: 4 });

describe('wire types', () => {
  it('come back as they were sent', () => {
    expect(parseDocument(encodeBytes(port))).toEqual({ ok: true, value: port });
    expect(parseDocument(encodeText(port))).toEqual({ ok: true, value: port });
  });

  it('name the field, the value and what would be right', () => {
    expect(problemOf(command({ type: 'Nonsense' }))).toMatchObject({
      field: 'command.type',
      value: '"Nonsense"',
    });
    const spec = { override: { vlan: { mode: 'access', id: 4095 } } };
    const apply = { type: 'Apply', resources: [{ kind: 'Port', name: 'p1', spec }] };
    expect(problemOf(command(apply))).toEqual({
      field: 'command.resources[0].spec.override.vlan.id',
      value: '4095',
      reason: 'is not accepted',
      expected: 'an integer from 1 to 4094',
    });
    expect(problemOf(command({ type: 'DisconnectPort', port: 'p1', colour: 1 }))).toMatchObject({
      field: 'command.colour',
      reason: 'is not a known field',
    });
    expect(problemOf(command({ type: 'DisconnectPort' }))).toMatchObject({ field: 'command.port' });
  });

  it('are bounded', () => {
    const parsed = parseReport(' '.repeat(2_000_000));
    expect(parsed.ok || parsed.error.details[0]?.reason).toBe('is too large');
  });

  it('refuse keys that mean something to the language', () => {
    const parsed = parseDocument(encodeText(port).replace('"override":{', '"override":{"__proto__":{},'));
    expect(parsed.ok).toBe(false);
  });

  it('never throw, whatever comes', () => {
    const noise = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string(), fc.json());
    fc.assert(
      fc.property(noise, (input) =>
        parsers.forEach((parse) => expect(typeof parse(input).ok).toBe('boolean')),
      ),
      { numRuns: 300 },
    );
  });

  it('refuse or read, and explain, every mutilation of a good document', () => {
    const text = encodeText(port);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(12), fc.string({ maxLength: 6 }), (start, cut, put) => {
        const parsed = parseDocument(text.slice(0, start) + put + text.slice(start + cut));
        if (!parsed.ok) expect(parsed.error.details[0]?.reason).toBeTruthy();
      }),
      { numRuns: 500 },
    );
  });

  it('explain any wrong value in any place of a command', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('command', 'v', 'actor', 'commandId'), (value, field) => {
        const request = { v: 1, commandId: 'c', actor: 'a', correlationId: 'x', command: {}, [field]: value };
        const parsed = parseCommandRequest(JSON.stringify(request));
        if (!parsed.ok) expect(parsed.error.code).toBe('invalid');
      }),
      { numRuns: 300 },
    );
  });
});

describe('signed documents', () => {
  it('travel in the short form, which an agent of before reads too', () => {
    const body = (of: unknown) =>
      (JSON.parse(new TextDecoder().decode(sealDocument(of as never, signer))) as { body: string }).body;
    const rule = { name: 'r', direction: 'in', action: 'drop', match: {} };
    expect(JSON.parse(body(port))).toMatchObject({ override: { filter: [rule] } });
    const sw = { ...doc('switch'), switch: 's', policy: {}, ...NO_FEATURES };
    expect(Object.keys(JSON.parse(body(sw)) as object)).not.toContain('mirrors');
    const watched = { ...sw, discovery: { mode: 'both', intervalSeconds: 30 } };
    expect(JSON.parse(body(watched))).toMatchObject({ discovery: { mode: 'both' } });
    const stateful = { ...port, override: { filter: { stateful: true, default: 'drop', rules: [] } } };
    expect(JSON.parse(body(stateful))).toMatchObject({ override: { filter: { stateful: true } } });
  });

  it('open under their own key', () => {
    expect(openDocumentBytes(sealDocument(port, signer), verifier, 'h.a.port.p1')).toEqual({
      ok: true,
      value: port,
    });
  });

  it('are refused under another key, with another signature, and when key and content part', () => {
    const open = (doc: PortDocument, key: string, s = signer) =>
      openDocumentBytes(sealDocument(doc, s), verifier, key);
    expect(open(port, 'h.b.port.p1')).toMatchObject({ ok: false, error: { details: [{ field: 'key' }] } });
    expect(open(port, 'h.a.port.p1', { kid: 'k2', sign: signer.sign })).toMatchObject({
      ok: false,
      error: { code: 'forbidden' },
    });
    const lying = { ...port, key: 'h.b.port.p1' };
    expect(open(lying, 'h.b.port.p1')).toMatchObject({ ok: false });
    expect(open({ ...port, revision: 0 } as PortDocument, 'h.a.port.p1')).toMatchObject({ ok: false });
  });
});
