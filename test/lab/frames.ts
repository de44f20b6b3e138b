import { type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { end, startIn } from './exec.js';

/** What became of one numbered stream at a receiver. Numbers begin at 0 and go on over several `send`s. */
export interface StreamReceived {
  readonly count: number;
  readonly unique: number;
  readonly duplicates: number;
  readonly disorder: number;
  readonly first: number;
  readonly last: number;
  /** When the kernel took the last one, in milliseconds since the epoch. */
  readonly lastAt: number;
  /** Numbers between first and last that never came; the first fifty. */
  readonly missing: readonly number[];
  /** Numbers in a row that never came, at most. */
  readonly longest: number;
  /** The longest time between two arrivals, ms. */
  readonly gapMs: number;
  /** Frames that came here and also to a device on which the guest does not run. */
  readonly doubled: number;
  /** VLAN tags seen; null for none. */
  readonly vlans: readonly (number | null)[];
}

export interface FrameStats {
  /** Frames sent, announcements included. */
  readonly sent: number;
  /** Frames that the device did not take, and why the last one was not. */
  readonly errors: number;
  readonly why: string | null;
  /** All frames received while running. */
  readonly frames: number;
  readonly bytes: number;
  /** Frames that came to a device on which the guest does not run (yet, or any more). */
  readonly ignored: number;
  readonly streams: Readonly<Record<string, StreamReceived>>;
  /** The last 256 frames that belong to no stream. */
  readonly recent: readonly {
    readonly at: number;
    readonly vlan: number | null;
    /** Priority in the tag. */
    readonly cos: number | null;
    readonly hex: string;
  }[];
}

export interface SendReport {
  readonly sent: number;
  /** The stream's next number. */
  readonly next: number;
}

type Reply = { readonly id: number; readonly error?: string } & Readonly<Record<string, unknown>>;

// Run from the source tree and from the built one: the script is only in the former.
const SCRIPT = fileURLToPath(new URL('./frames.py', import.meta.url)).replace('/dist/test/', '/test/');

/** The process in a namespace that sends and counts frames there. */
export class FrameAgent {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, { resolve(reply: Reply): void; reject(cause: Error): void }>();
  private nextId = 1;
  private ended = false;

  constructor(
    private readonly netns: string,
    script = SCRIPT,
  ) {
    this.child = startIn(netns, ['python3', '-u', script], { stdio: 'pipe' });
    if (!this.child.stdout || !this.child.stdin) throw new Error('no pipe to the frame agent');
    createInterface({ input: this.child.stdout }).on('line', (line) => this.take(JSON.parse(line) as Reply));
    // A write to a process that is going fails by its exit, told below.
    this.child.stdin.on('error', (error) => this.fail(`stdin: ${error.message}`));
    this.child.on('exit', (code, signal) => this.fail(`ended with ${signal ?? code}`));
  }

  request(command: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    if (this.ended) return Promise.reject(new Error(`frame agent of ${this.netns} is gone`));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.stdin?.write(`${JSON.stringify({ ...fields, id, do: command })}\n`);
    });
  }

  async stop(): Promise<void> {
    await end(this.child, 'SIGKILL');
  }

  private take(reply: Reply): void {
    const waiter = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.error !== undefined) waiter?.reject(new Error(`frame agent of ${this.netns}: ${reply.error}`));
    else waiter?.resolve(reply);
  }

  private fail(reason: string): void {
    this.ended = true;
    for (const { reject } of this.waiting.values())
      reject(new Error(`frame agent of ${this.netns} ${reason}`));
    this.waiting.clear();
  }
}
