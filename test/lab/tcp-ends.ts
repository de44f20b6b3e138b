// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { which } from '../../deploy/setup/shell.js';
import { end, startIn, until } from './exec.js';
import { type LabVm } from './net.js';
import { type SendingGuest } from './sending.js';

/** What is lost on the way is sent again, ever later. */
const HEARD_MS = 60_000;

/** One end of one connection, with `nc`: it begins it, or takes one and then no other. Its lines are numbered. */
export abstract class End {
  #said = 0;

  abstract start(...how: readonly string[]): Promise<void>;
  protected abstract write(line: string): Promise<void>;
  /** Everything that the other end said. */
  protected abstract heard(): Promise<string>;
  /** TCP's sockets of the whole machine. */
  abstract sockets(): Promise<string>;

  /** One more line; resolves when the other end has all of them, each once. */
  async tell(other: End): Promise<void> {
    this.#said += 1;
    await this.write(String(this.#said));
    const all = Array.from({ length: this.#said }, (_, i) => String(i + 1)).join('\n');
    const isThere = async () => (await other.heard()).trim() === all || undefined;
    await until(`line ${this.#said} to be heard`, isThere, HEARD_MS);
  }
}

export class GuestEnd extends End {
  /** `output`: a file descriptor of the guest's shell that nobody else has. */
  constructor(
    private readonly guest: SendingGuest,
    private readonly output: number,
  ) {
    super();
  }

  async start(...how: readonly string[]): Promise<void> {
    await this.guest.type(`mkfifo /said${this.output}`);
    await this.guest.type(`nc ${how.join(' ')} < /said${this.output} > /heard${this.output} &`);
    await this.guest.type(`exec ${this.output}> /said${this.output}`);
  }

  protected async write(line: string): Promise<void> {
    await this.guest.type(`echo ${line} >&${this.output}`);
  }

  protected heard(): Promise<string> {
    return this.guest.type(`cat /heard${this.output}`);
  }

  sockets(): Promise<string> {
    return this.guest.type('cat /proc/net/tcp*');
  }
}

export class PeerEnd extends End {
  #child: ReturnType<typeof startIn> | null = null;
  #heard = '';

  constructor(private readonly vm: LabVm) {
    super();
  }

  start(...how: readonly string[]): Promise<void> {
    this.#child = startIn(this.vm.netns, [which('busybox') as string, 'nc', ...how], { stdio: 'pipe' });
    this.#child.stdout?.on('data', (text: Buffer) => (this.#heard += text.toString()));
    return Promise.resolve();
  }

  protected write(line: string): Promise<void> {
    this.#child?.stdin?.write(`${line}\n`);
    return Promise.resolve();
  }

  protected heard(): Promise<string> {
    return Promise.resolve(this.#heard);
  }

  sockets(): Promise<string> {
    return this.vm.exec('sh', '-c', 'cat /proc/net/tcp*');
  }

  async stop(): Promise<void> {
    if (this.#child !== null) await end(this.#child);
  }
}
