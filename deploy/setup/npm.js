import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runLong, say, SetupError } from './shell.js';

const NEEDED = [20, 19];

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  throw new SetupError(
    `Node ${process.versions.node} is too old: ${NEEDED.join('.')} or newer is needed (https://nodejs.org)`,
  );
}

/** `npm ci` when the packages are missing or are not those of the lock file. */
export async function ensurePackages() {
  const lock = join(ROOT, 'package-lock.json');
  const stamp = join(ROOT, 'node_modules', '.portolan-lock');
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (isCurrent(lock, stamp, digest)) return;
  say('installing npm packages (about half a minute)');
  const { seconds } = await runLong('npm ci', process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'ci',
    '--no-audit',
    '--no-fund',
  ]);
  writeFileSync(stamp, digest);
  say(`npm packages installed in ${seconds} s`);
}

/** By the digest that the last installation left; by age where the user installed by hand. */
function isCurrent(lock, stamp, digest) {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(installed).mtimeMs)
    return readFileSync(stamp, 'utf8') === digest;
  if (statSync(installed).mtimeMs < statSync(lock).mtimeMs) return false;
  writeFileSync(stamp, digest);
  return true;
}
