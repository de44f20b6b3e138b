import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { err, ok, problem, type Problem, type Result } from '#kernel';
import { Lines } from './lines.js';

/** Ways to speak to a libvirtd. */
export interface Virsh {
  /**
   * One call of virsh: commands as it takes them, to their end. `limitMs` null: however long it takes. Faults:
   * `refused` is libvirt's word, `unavailable` says that it was not reached, `unknown` that it may have done it.
   */
  run(commands: readonly string[], limitMs?: number | null): Promise<Result<string>>;
  /** Lines of its events, until `ended` says why there are no more. The returned function ends it. */
  watch(line: (line: string) => void, ended: (why: string) => void): () => void;
  /** Ends whatever still runs. A migration from libvirtd to libvirtd goes on without its client. */
  close(): void;
}

/** For what hangs; on a machine that is busy a call takes half a second. */
const LONGEST_MS = 15_000;
const LARGEST = 16 * 1024 * 1024;
const LONGEST_REASON = 300;
/** After 3 × 5 s without a sign libvirtd is taken for dead. */
const SIGN_OF_LIFE = ['-k', '5', '-K', '3'];

/** libvirt's own client program, in the language that it is read in. */
export class VirshProgram implements Virsh {
  readonly #children = new Set<ChildProcess>();
  readonly #env = { ...process.env, LC_ALL: 'C' };

  constructor(
    private readonly uri: string,
    private readonly program = 'virsh',
  ) {}

  run(commands: readonly string[], limitMs: number | null = LONGEST_MS): Promise<Result<string>> {
    const args = [...SIGN_OF_LIFE, '-q', '-c', this.uri, ...commands];
    const options = { env: this.#env, maxBuffer: LARGEST, ...(limitMs === null ? {} : { timeout: limitMs }) };
    return new Promise((resolve) => {
      const child = execFile(this.program, args, options, (fault, stdout, stderr) => {
        this.#children.delete(child);
        resolve(fault === null ? ok(stdout) : err(faultOf(fault, stderr)));
      });
      this.#children.add(child);
    });
  }

  watch(line: (line: string) => void, ended: (why: string) => void): () => void {
    const args = [...SIGN_OF_LIFE, '-q', '-c', this.uri, 'event', '--all', '--loop', '--timestamp'];
    const child = spawn(this.program, args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    let last = '';
    let isOver = false;
    const over = (why: string): void => {
      this.#children.delete(child);
      if (!isOver) ended(why);
      isOver = true;
    };
    this.#children.add(child);
    const lines = new Lines();
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk).forEach((text) => isOver || line(text)));
    child.stderr.on('data', (chunk: Buffer) => (last ||= reasonIn(chunk.toString())));
    child.on('error', (cause) => over(String(cause)));
    child.on('close', (code, signal) => over(last || `virsh ended with ${String(signal ?? code)}`));
    return () => {
      isOver = true;
      child.kill();
    };
  }

  close(): void {
    for (const child of this.#children) child.kill();
  }
}

const LOST =
  /End of file while reading|Cannot (?:recv|write) data|client socket is closed|Disconnected from|keepalive/i;

function faultOf(
  fault: Error & { readonly code?: unknown; readonly signal?: unknown },
  stderr: string,
): Problem {
  const said = reasonIn(stderr);
  if (typeof fault.signal === 'string')
    return problem('unknown', `virsh was ended before it answered${said === '' ? '' : `: ${said}`}`);
  // The program itself could not be started.
  if (typeof fault.code === 'string') return problem('unavailable', fault.message.slice(0, LONGEST_REASON));
  if (LOST.test(said)) return problem('unknown', said);
  const isAway = /^failed to connect to the hypervisor/.test(said);
  return problem(isAway ? 'unavailable' : 'refused', said || `virsh ended with ${String(fault.code)}`);
}

/** libvirt's words, on one line. */
function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^error: /, '').trim());
  return lines
    .filter((line) => line !== '')
    .join('; ')
    .slice(0, LONGEST_REASON);
}
