import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPrivateKey } from 'node:crypto';
import { macToBigint, parseMac, TOKEN_ADDRESSES, unwrap } from '#kernel';
import { type Handover, type HandoverToken } from '#contracts';
import { derivedHandoverToken } from './handover.js';
import { generateSigningKey } from './signing.js';

const key = generateSigningKey();
const ofKey = (pem: string): HandoverToken => unwrap(derivedHandoverToken(pem));

/** PKCS #8 of the Ed25519 key whose seed is these 32 bytes. */
const keyOfSeed = (seed: Buffer): string =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();

const handover: fc.Arbitrary<Handover> = fc
  .tuple(
    fc.uuid(),
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 1, max: 30 }),
    fc.integer({ min: 1, max: 30 }),
  )
  .map(([lineage, m, p, epoch]) => ({ lineage, migration: `m${m}`, port: `p${p}`, epoch }) as never);

describe('the token of a hand-over', () => {
  it('is the same for every manager with the key, and one of the group addresses set apart for it', () => {
    const [one, other] = [ofKey(key.privateKey), ofKey(key.privateKey)];
    fc.assert(
      fc.property(handover, (h) => {
        const token = one(h);
        expect(other({ ...h })).toBe(token);
        expect(unwrap(parseMac(token))).toBe(token);
        expect(macToBigint(token) & TOKEN_ADDRESSES.mask).toBe(TOKEN_ADDRESSES.value);
      }),
    );
  });

  it('is another one for another lineage, migration, port or epoch, and with another key', () => {
    const [ours, theirs] = [ofKey(key.privateKey), ofKey(generateSigningKey().privateKey)];
    fc.assert(
      fc.property(handover, handover, (a, b) => {
        const others = (Object.keys(a) as (keyof Handover)[])
          .filter((field) => a[field] !== b[field])
          .map((field) => ours({ ...a, [field]: b[field] } as Handover));
        const all = [ours(a), theirs(a), ...others];
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });

  it('stays what it was: managers of two versions lead one cluster while it is upgraded', () => {
    const token = ofKey(keyOfSeed(Buffer.alloc(32, 7)));
    const lineage = '00000000-0000-4000-8000-000000000001';
    expect(token({ lineage, migration: 'm1', port: 'p1', epoch: 2 } as never)).toBe('93:ac:e7:4f:72:aa');
  });

  it('needs the private key', () => {
    for (const pem of [key.publicKey, 'nonsense'])
      expect(derivedHandoverToken(pem)).toMatchObject({ ok: false, error: { code: 'invalid' } });
  });
});
