import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { until } from './exec.js';

/** A guest boots in 3 s on a machine that has nothing else to do, and in a minute on one that has. */
const BOOT_MS = 180_000;
const ANSWER_MS = 60_000;
/** A guest that is silent for so long is spoken to again: one more interrupt, should it have missed one. */
const SILENCE_MS = 5_000;

/** The console of a guest (a socket of its QEMU): its init carries out what is typed there, line by line. */
export class GuestConsole {
  #said = '';
  #typed = 0;
  #isClosed = false;

  private constructor(private readonly socket: Socket) {
    // That it is over is told by `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => (this.#isClosed = true));
    socket.on('data', (chunk: Buffer) => (this.#said += chunk.toString('latin1')));
  }

  static open(path: string): Promise<GuestConsole> {
    return until('the console', async () => {
      const socket = createConnection(path);
      await once(socket, 'connect');
      return new GuestConsole(socket);
    });
  }

  /** Resolves when the guest has booted. */
  async booted(): Promise<void> {
    await this.#hears('the guest to boot', /READY\r?\n/, BOOT_MS);
    if (this.#said.includes('FAILED')) throw new Error(`the guest lacks a module: ${this.#said}`);
  }

  /** Resolves with what the command printed; rejects when it ended with anything but 0. */
  async type(command: string): Promise<string> {
    this.#said = '';
    const number = (this.#typed += 1);
    this.socket.write(`${number} ${command}\n`);
    const pattern = new RegExp(`^([^]*)DONE ${number} (\\d+)\\r?\\n`);
    const again = setInterval(() => this.socket.write('\n'), SILENCE_MS);
    try {
      const [, said = '', code] = await this.#hears(`the guest: ${command}`, pattern, ANSWER_MS);
      const text = said
        .replaceAll('\r', '')
        .replaceAll(/^DONE  0\n/gm, '')
        .trim();
      if (code !== '0') throw new Error(`${command}: ended with ${code}: ${text}`);
      return text;
    } finally {
      clearInterval(again);
    }
  }

  /** The last that it said. */
  get tail(): string {
    return this.#said.slice(-1_000);
  }

  close(): void {
    this.socket.destroy();
  }

  async #hears(what: string, pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    const look = () => pattern.exec(this.#said) ?? (this.#isClosed ? null : undefined);
    const heard = await until(what, () => Promise.resolve(look()), limitMs);
    if (heard !== null) return heard;
    throw new Error(`${what}: it does not run here any more; it said: ${this.tail}`);
  }
}
