import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = (home: string): string => join(home, 'starter.json');

/** When a process began, as the kernel counts: tells a process from a later one with the same id. Null: unknown. */
function beganAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    // No such process, or no /proc: then the id alone has to do.
    return null;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Takes a directory for this process. Throws if a starter that still runs has it. */
export function holdHome(home: string): void {
  if (existsSync(file(home))) {
    const { pid, began } = JSON.parse(readFileSync(file(home), 'utf8')) as {
      pid: number;
      began: string | null;
    };
    if (pid !== process.pid && lives(pid) && beganAt(pid) === began) {
      throw new Error(
        `a cluster runs from ${home} already (process ${pid}): stop it with Ctrl-C, or set PORTOLAN_HOME to another directory`,
      );
    }
  }
  writeFileSync(file(home), JSON.stringify({ pid: process.pid, began: beganAt(process.pid) }), {
    mode: 0o600,
  });
}

export function releaseHome(home: string): void {
  rmSync(file(home), { force: true });
}
