import { messageOf, problem, ProblemError, type Clock } from '#kernel';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dial, formatEndpoint, type Endpoint } from '../link/endpoint.js';
import { RpcRefusal, RpcSession } from '../json/rpc.js';
import { failed } from '../link/link.js';

/**
 * The control socket of the running vswitchd under a run directory. Its name holds the process id, so it is looked
 * up for every connection: a restarted switch has another.
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

/** A connection, and what is said over it. */
interface Talk {
  readonly session: RpcSession;
  hangUp(): void;
}

/**
 * Client of vswitchd's control socket. Quick commands share one connection that stands until either side hangs up; the
 * switch works on them one after the other. One that waits has its own: it would block those behind it.
 */
export class Unixctl {
  private standing: Promise<Talk> | undefined;

  constructor(
    private readonly endpoint: () => Endpoint | Promise<Endpoint>,
    private readonly clock: Clock,
  ) {}

  /**
   * Resolves with the command's output. Rejects with a ProblemError: `unavailable`, `unknown`, or `refused`. It is not
   * asked again: whoever lost the switch in between has more to do anew than this command.
   */
  async call(command: string, args: readonly string[] = [], timeoutMs = 5_000): Promise<string> {
    const talk = (this.standing ??= this.dial());
    try {
      return await ask(talk, command, args, timeoutMs);
    } catch (cause) {
      // After anything but a plain refusal the connection is beyond trust: what it still owes may come late.
      if (!(cause instanceof ProblemError) || cause.problem.code !== 'refused') this.forget(talk);
      throw cause;
    }
  }

  /** As `call`, for a command that does not answer at once. */
  async wait(command: string, timeoutMs = 5_000): Promise<string> {
    const talk = this.dial();
    try {
      return await ask(talk, command, [], timeoutMs);
    } finally {
      this.forget(talk);
    }
  }

  /** Version of the running switch, as in `3.1.0`. */
  async version(): Promise<string> {
    const text = await this.call('version');
    return /[0-9]+\.[0-9]+\.[0-9]+/.exec(text)?.[0] ?? text.trim();
  }

  close(): void {
    if (this.standing !== undefined) this.forget(this.standing);
  }

  private forget(talk: Promise<Talk>): void {
    if (this.standing === talk) this.standing = undefined;
    talk.then(
      ({ hangUp }) => hangUp(),
      () => undefined,
    );
  }

  private dial(): Promise<Talk> {
    const talk = this.connect(() => this.forget(talk));
    return talk;
  }

  private async connect(ended: () => void): Promise<Talk> {
    const at = await this.endpoint();
    const socket = dial(at);
    const session = new RpcSession((text) => socket.write(text), { clock: this.clock });
    let lost = `${formatEndpoint(at)}: the switch hung up`;
    socket.on('data', (chunk) => {
      try {
        const fault = session.receive(chunk);
        if (fault) socket.destroy(new Error(fault.message));
      } catch (cause) {
        socket.destroy(new Error(failed(cause)));
      }
    });
    socket.on('error', (error) => (lost = error.message));
    socket.on('close', () => {
      session.end(lost);
      ended();
    });
    return { session, hangUp: () => socket.destroy() };
  }
}

async function ask(
  talk: Promise<Talk>,
  command: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  try {
    const output = await (await talk).session.request(command, args, timeoutMs);
    return typeof output === 'string' ? output : '';
  } catch (cause) {
    throw asProblem(command, cause);
  }
}

function asProblem(command: string, cause: unknown): ProblemError {
  if (cause instanceof ProblemError) return cause;
  if (cause instanceof RpcRefusal) {
    return new ProblemError(problem('refused', cause.message.trim()), { cause });
  }
  const why = messageOf(cause);
  return new ProblemError(problem('unavailable', `${command}: ${why}`), { cause });
}
