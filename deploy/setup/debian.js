import { existsSync } from 'node:fs';
import { run, runLong, say, SetupError, which } from './shell.js';

/** How to become root without asking: `[]` as root, `['sudo', '-n']` with passwordless sudo, undefined otherwise. */
export function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (which('sudo') === undefined) return undefined;
  try {
    run('sudo', ['-n', 'true']);
    return ['sudo', '-n'];
  } catch {
    return undefined;
  }
}

/** Whether packages can be installed here without asking anyone. */
export const canInstall = () => which('apt-get') !== undefined && rootPrefix() !== undefined;

let isUpdated = false;

/** Installs Debian packages; the lists of what there is are fetched once. Throws a SetupError with apt's words. */
export async function aptInstall(packages) {
  const prefix = rootPrefix();
  if (prefix === undefined) throw new SetupError(`needs root: sudo apt-get install ${packages.join(' ')}`);
  const apt = (what, args) => {
    const words = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args];
    return runLong(what, words[0], words.slice(1));
  };
  say(`installing ${packages.join(', ')} (apt-get)`);
  if (!isUpdated) await apt('apt-get update', ['update']);
  isUpdated = true;
  const { seconds } = await apt('apt-get install', ['install', '-y', '--no-install-recommends', ...packages]);
  say(`installed in ${seconds} s`);
}

/**
 * Debian starts a service with its package. Portolan runs its own servers, so what was installed just now for its
 * sake is stopped again where systemd runs it; what was there before is left alone.
 */
export function quietServices(services) {
  const prefix = rootPrefix();
  if (!existsSync('/run/systemd/system') || prefix === undefined) return;
  for (const service of services) {
    const words = [...prefix, 'systemctl', 'disable', '--now', service];
    try {
      run(words[0], words.slice(1));
      say(`the system's own ${service} service was switched off: it is not used`);
    } catch (error) {
      say(`the system's own ${service} service could not be switched off: ${error.message.split('\n')[0]}`);
    }
  }
}
