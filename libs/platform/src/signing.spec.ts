import { describe, expect, it } from '@jest/globals';
import { unwrap } from '#kernel';
import { ed25519Signer, ed25519Verifier, generateSigningKey } from './signing.js';

describe('document signatures', () => {
  const key = generateSigningKey();
  const other = generateSigningKey();
  const signer = unwrap(ed25519Signer(key.privateKey));
  const sig = signer.sign('body');

  it('hold for the body, the key and nothing else', () => {
    const verifier = unwrap(ed25519Verifier([other.publicKey, key.publicKey]));
    expect(verifier.verify('body', sig, signer.kid)).toBe(true);
    // Known by now, and still good for this body only.
    expect(verifier.verify('body', sig, signer.kid)).toBe(true);
    expect(verifier.verify('body!', sig, signer.kid)).toBe(false);
    expect(verifier.verify('body', `${sig}x`.slice(1), signer.kid)).toBe(false);
    expect(verifier.verify('body', '', signer.kid)).toBe(false);
    expect(verifier.verify('body', sig, 'nobody')).toBe(false);
    expect(unwrap(ed25519Verifier([other.publicKey])).verify('body', sig, signer.kid)).toBe(false);
  });

  it('need keys of the right kind', () => {
    expect(ed25519Signer('nonsense')).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(ed25519Signer(key.publicKey).ok).toBe(false);
    expect(ed25519Verifier([key.publicKey, 'x'])).toMatchObject({
      ok: false,
      error: { details: [{ field: 'publicKeys[1]' }] },
    });
  });
});
