import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's top directory. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** One short line of progress. */
export const say = (text) => process.stdout.write(`portolan: ${text}\n`);

/** A fault that the user can mend: shown without a stack. */
export class SetupError extends Error {}

/** The full path of a program, by PATH and the directories that a user's PATH often lacks; undefined if none. */
export function which(program) {
  const dirs = (process.env.PATH ?? '')
    .split(delimiter)
    .concat('/usr/sbin', '/sbin', '/opt/homebrew/sbin', '/opt/homebrew/bin');
  return dirs.map((dir) => join(dir, program)).find(isExecutable);
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs a program silently; its output is shown only when it fails. Throws a SetupError then. */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
    env: { ...process.env, ...options.env },
  });
  if (result.error === undefined && result.status === 0) return result.stdout ?? '';
  const reason = result.error?.message ?? `ended with ${result.status ?? result.signal}`;
  const output = [result.stdout, result.stderr].filter(Boolean).join('').trimEnd();
  throw new SetupError(`${program} ${args.join(' ')}: ${reason}${output === '' ? '' : `\n${output}`}`);
}

/** Runs a program and says now and then that it still runs. Resolves with its output, rejects as `run` throws. */
export function runLong(what, program, args) {
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  const ticker = setInterval(() => say(`${what} ... ${seconds()} s`), 10_000);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.once('error', (error) => reject(new SetupError(`${program}: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (code === 0) return resolve({ output, seconds: seconds() });
      reject(
        new SetupError(`${program} ${args.join(' ')}: ended with ${code ?? signal}\n${output.trimEnd()}`),
      );
    });
  }).finally(() => clearInterval(ticker));
}
