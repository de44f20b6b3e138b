import { type Shutdown } from './shutdown.js';

/**
 * With PORTOLAN_END_WITH_STDIN=1 the process ends when its standard input closes: a starter that is killed leaves
 * nothing behind.
 */
export function endWithStdin(shutdown: Shutdown, env: NodeJS.ProcessEnv = process.env): void {
  if (env['PORTOLAN_END_WITH_STDIN'] !== '1') return;
  process.stdin.on('error', () => undefined);
  process.stdin.once('close', () => void shutdown.begin('the starter is gone', 0));
  process.stdin.resume();
}
