import { aptInstall, canInstall, quietServices } from './debian.js';
import { isExecutable, run, runLong, say, SetupError, which } from './shell.js';

const OLDEST = [2, 9, 0];
const HOW = [
  'nats-server is missing and could not be installed. One of:',
  '  Debian, Ubuntu:  sudo apt-get update && sudo apt-get install nats-server',
  '  macOS:           brew install nats-server',
  '  otherwise:       https://github.com/nats-io/nats-server/releases, then NATS_SERVER_BIN=/path/to/nats-server',
].join('\n');

/** The binary by `NATS_SERVER_BIN`, PATH, /usr/sbin; undefined if there is none. */
export function findNatsServer() {
  const named = process.env.NATS_SERVER_BIN ?? '';
  if (named === '') return which('nats-server');
  if (isExecutable(named)) return named;
  throw new SetupError(
    `NATS_SERVER_BIN ${named}: is no program; expected the path of nats-server, or leave it unset`,
  );
}

/** Finds nats-server, installs it where that can be done unasked, and checks its version. Returns the path. */
export async function ensureNatsServer() {
  let path = findNatsServer();
  if (path === undefined) {
    await install();
    path = findNatsServer();
  }
  if (path === undefined) throw new SetupError(HOW);
  checkVersion(path);
  return path;
}

async function install() {
  try {
    if (canInstall()) {
      await aptInstall(['nats-server']);
      quietServices(['nats-server']);
    } else if (which('brew') !== undefined) {
      say('installing nats-server (brew)');
      await runLong('brew install', which('brew'), ['install', 'nats-server']);
    }
  } catch (error) {
    throw new SetupError(`${error.message}\n${HOW}`);
  }
}

function checkVersion(path) {
  const text = run(path, ['--version']).trim();
  const found = /v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  if (found === undefined) throw new SetupError(`${path} --version says "${text}": that is no nats-server`);
  const at = found.findIndex((part, i) => part !== OLDEST[i]);
  if (at !== -1 && found[at] < OLDEST[at])
    throw new SetupError(`${path} is ${found.join('.')}: ${OLDEST.join('.')} or newer is needed`);
}
