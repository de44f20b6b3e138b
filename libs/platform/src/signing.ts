import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { err, invalid, ok, type Result } from '#kernel';
import { type Signer, type Verifier } from '#contracts';

/** A cluster's signing key as it is kept: PKCS #8 for the managers only, SPKI for everyone. Both PEM. */
export interface SigningKey {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function generateSigningKey(): SigningKey {
  const pair = generateKeyPairSync('ed25519');
  return {
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** Ed25519; the key's id is derived from its public half, so it needs no book-keeping. */
export function ed25519Signer(privateKey: string): Result<Signer> {
  const key = readKey(() => createPrivateKey(privateKey));
  if (key === null)
    return err(invalid('privateKey', undefined, 'is not an Ed25519 private key', 'PEM, PKCS #8'));
  const kid = keyId(createPublicKey(key));
  return ok({ kid, sign: (body) => sign(null, Buffer.from(body), key).toString('base64url') });
}

/** Trusts any of the keys: two of them while a cluster changes its key. */
export function ed25519Verifier(publicKeys: readonly string[]): Result<Verifier> {
  const keys = new Map<string, KeyObject>();
  for (const [i, pem] of publicKeys.entries()) {
    const key = readKey(() => createPublicKey(pem));
    if (key === null)
      return err(invalid(`publicKeys[${i}]`, pem.slice(0, 80), 'is not an Ed25519 public key', 'PEM, SPKI'));
    keys.set(keyId(key), key);
  }
  const good = new GoodSignatures();
  return ok({
    verify: (body, sig, kid) => {
      const key = keys.get(kid);
      if (key === undefined) return false;
      if (good.has(body, sig, kid)) return true;
      const bytes = Buffer.from(sig, 'base64url');
      if (bytes.length !== 64 || !verify(null, Buffer.from(body), key, bytes)) return false;
      good.add(body, sig, kid);
      return true;
    },
  });
}

const REMEMBERED = 256;
const LONGEST = 16_384;

/**
 * The last good signatures: where many hosts are simulated in one process, all of them get the same shared documents
 * and marks, and a check costs more than all else that is done with one.
 */
class GoodSignatures {
  private readonly bodies = new Map<string, string>();

  has(body: string, sig: string, kid: string): boolean {
    return this.bodies.get(`${kid} ${sig}`) === body;
  }

  add(body: string, sig: string, kid: string): void {
    if (body.length > LONGEST) return;
    this.bodies.set(`${kid} ${sig}`, body);
    if (this.bodies.size <= REMEMBERED) return;
    for (const oldest of this.bodies.keys()) {
      this.bodies.delete(oldest);
      return;
    }
  }
}

/** Null of what is no Ed25519 key. */
export function readKey(read: () => KeyObject): KeyObject | null {
  try {
    const key = read();
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    // Not a key: the caller says so, with the field.
    return null;
  }
}

const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
    .slice(0, 16);
