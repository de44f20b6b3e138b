import { createHmac, createPrivateKey, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { err, invalid, macFromBigint, ok, TOKEN_ADDRESSES, type Result } from '#kernel';
import { type HandoverToken } from '#contracts';
import { readKey } from './signing.js';

const PURPOSE = 'portolan hand-over token 1';

/**
 * Tokens from the managers' signing key (PEM, PKCS #8): whoever has that key derives the same, at any time, so a
 * take-over changes none and none has to be kept. A key of their own is derived from its seed for this purpose alone:
 * a token tells nothing of the signing key, nor a signature of a token.
 */
export function derivedHandoverToken(privateKey: string): Result<HandoverToken> {
  const key = tokenKey(readKey(() => createPrivateKey(privateKey)));
  if (key === null)
    return err(invalid('privateKey', undefined, 'is not an Ed25519 private key', 'PEM, PKCS #8'));
  return ok(({ lineage, migration, port, epoch }) => {
    // As JSON, so that no two hand-overs are spelt the same.
    const text = JSON.stringify([lineage, migration, port, epoch, 0]);
    const bits = createHmac('sha256', key).update(text).digest().readUIntBE(0, 6);
    return macFromBigint((BigInt(bits) & ~TOKEN_ADDRESSES.mask) | TOKEN_ADDRESSES.value);
  });
}

function tokenKey(signing: KeyObject | null): KeyObject | null {
  const seed = signing?.export({ format: 'jwk' }).d;
  if (seed === undefined) return null;
  return createSecretKey(Buffer.from(hkdfSync('sha256', Buffer.from(seed, 'base64url'), '', PURPOSE, 32)));
}
