import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNatsServer } from '../setup/nats-server.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const args = process.argv.slice(2);
const say = (line) => process.stderr.write(`${line}\n`);

const unknown = args.filter((a) => a !== '--once');
if (unknown.length > 0) {
  say(`unknown argument ${unknown[0]}; known: --once (play the story once, print the figures, exit)`);
  process.exit(2);
}

const { once, run } = await import(join(root, 'dist', 'deploy', 'quickstart', 'main.js'));
try {
  const options = { root, natsServer: findNatsServer(), env: process.env, say };
  if (args.includes('--once')) process.exitCode = (await once(options)) ? 0 : 1;
  else process.exitCode = await run(options);
} catch (error) {
  say(
    `portolan: ${error.message}${error.cause === undefined ? '' : ` (${error.cause.message ?? error.cause})`}`,
  );
  process.exitCode = 1;
}
