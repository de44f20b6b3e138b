import { readFile } from 'node:fs/promises';
import { invalid, ProblemError, unwrap } from '#kernel';
import { type HandoverToken, type Signer, type Verifier } from '#contracts';
import { derivedHandoverToken } from './handover.js';
import { ed25519Signer, ed25519Verifier } from './signing.js';

/** Signer from a PEM file with the managers' private key. Throws a ProblemError that names the file. */
export const documentSigner = async (path: string): Promise<Signer> => unwrap(ed25519Signer(await pem(path)));

/** Verifier from PEM files; a private key's file will do for its public half. Throws a ProblemError. */
export const documentVerifier = async (paths: readonly string[]): Promise<Verifier> =>
  unwrap(ed25519Verifier(await Promise.all(paths.map(pem))));

/** The tokens that all managers with this key derive, from the PEM file of `documentSigner`. Throws a ProblemError. */
export const handoverTokens = async (path: string): Promise<HandoverToken> =>
  unwrap(derivedHandoverToken(await pem(path)));

async function pem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ProblemError(invalid('key', path, `can't be read: ${String(cause)}`, 'a PEM file'), { cause });
  }
}
