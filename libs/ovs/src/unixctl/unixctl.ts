import { problem, ProblemError, type Clock } from '#kernel';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dial, formatEndpoint, type Endpoint } from '../link/endpoint.js';
import { RpcRefusal, RpcSession } from '../json/rpc.js';

/**
 * The control socket of the running vswitchd under a run directory. Its name holds the process id, so it is looked
 * up for every use: a restarted switch has another.
 */
export async function findUnixctl(rundir: string): Promise<Endpoint> {
  const pid = await readFile(join(rundir, 'ovs-vswitchd.pid'), 'utf8').then(
    (text) => text.trim(),
    // A switch may run without a pid file; its socket is then found by name alone.
    () => undefined,
  );
  if (pid !== undefined && /^[0-9]+$/.test(pid))
    return { kind: 'unix', path: join(rundir, `ovs-vswitchd.${pid}.ctl`) };
  const names = (await readdir(rundir)).filter((name) => /^ovs-vswitchd\.[0-9]+\.ctl$/.test(name));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(rundir, name))).mtimeMs })),
  );
  const newest = dated.sort((a, b) => b.at - a.at)[0];
  if (!newest) throw new ProblemError(problem('unavailable', `no ovs-vswitchd.<pid>.ctl in ${rundir}`));
  return { kind: 'unix', path: join(rundir, newest.name) };
}

/**
 * Client of vswitchd's control socket. Every command has a connection of its own, as one that waits (for a
 * revalidation pass) blocks those behind it.
 */
export class Unixctl {
  constructor(
    private readonly endpoint: () => Endpoint | Promise<Endpoint>,
    private readonly clock: Clock,
  ) {}

  /** Resolves with the command's output. Rejects with a ProblemError: `unavailable`, `unknown`, or `refused`. */
  async call(command: string, args: readonly string[] = [], timeoutMs = 5_000): Promise<string> {
    let at: Endpoint;
    try {
      at = await this.endpoint();
    } catch (cause) {
      throw asProblem(command, cause);
    }
    try {
      const output = await converse(at, this.clock, command, args, timeoutMs);
      return typeof output === 'string' ? output : '';
    } catch (cause) {
      throw asProblem(command, cause);
    }
  }

  /** Version of the running switch, as in `3.1.0`. */
  async version(): Promise<string> {
    const text = await this.call('version');
    return /[0-9]+\.[0-9]+\.[0-9]+/.exec(text)?.[0] ?? text.trim();
  }
}

function converse(
  at: Endpoint,
  clock: Clock,
  command: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<unknown> {
  const socket = dial(at);
  const session = new RpcSession((text) => socket.write(text), { clock });
  const reply = session.request(command, args, timeoutMs);
  let lost = `${formatEndpoint(at)}: the switch hung up`;
  socket.on('data', (chunk) => {
    const fault = session.receive(chunk);
    if (fault) socket.destroy(new Error(fault.message));
  });
  socket.on('error', (error) => (lost = error.message));
  socket.on('close', () => session.end(lost));
  return reply.finally(() => socket.destroy());
}

function asProblem(command: string, cause: unknown): ProblemError {
  if (cause instanceof ProblemError) return cause;
  if (cause instanceof RpcRefusal) {
    return new ProblemError(problem('refused', cause.message.trim()), { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ProblemError(problem('unavailable', `${command}: ${why}`), { cause });
}
