import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { coreInbox, CORE_USERS, hostUser, HOST_INBOX } from './names.js';
import { SYSTEM_USER } from './server-config.js';

/** One user's file, as a service reads it. */
export interface CredentialsFile {
  readonly user: string;
  readonly password: string;
  readonly inboxPrefix: string;
}

/** Path of the credentials of a core user, `sys`, or `host.<host>`. */
export const credentialsPath = (dir: string, user: string): string => join(dir, `${user}.json`);

/**
 * The passwords of all users, each from its file in `dir`; those missing are made (192 random bits) and written with
 * mode 0600 into a directory of mode 0700. Existing ones never change, so a host that is added disturbs nobody.
 */
export async function ensureCredentials(
  dir: string,
  hosts: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const wanted: readonly (readonly [string, string])[] = [
    ...CORE_USERS.map((user) => [user, coreInbox(user)] as const),
    [SYSTEM_USER, '_INBOX'],
    ...hosts.map((host) => [hostUser(host), HOST_INBOX] as const),
  ];
  const passwords: Record<string, string> = {};
  for (const [user, inboxPrefix] of wanted) {
    passwords[user] = (await readPassword(dir, user)) ?? (await writeCredentials(dir, user, inboxPrefix));
  }
  return passwords;
}

async function readPassword(dir: string, user: string): Promise<string | undefined> {
  const path = credentialsPath(dir, user);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { password } = JSON.parse(text) as Partial<CredentialsFile>;
  if (typeof password !== 'string' || password === '') throw new Error(`${path} holds no password`);
  return password;
}

async function writeCredentials(dir: string, user: string, inboxPrefix: string): Promise<string> {
  const file: CredentialsFile = { user, password: randomBytes(24).toString('base64url'), inboxPrefix };
  await writePrivate(credentialsPath(dir, user), `${JSON.stringify(file)}\n`);
  return file.password;
}

/** Whole or not at all, readable by its owner only. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.tmp`;
  await writeFile(partial, text, { mode: 0o600 });
  await rename(partial, path);
}
