import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type ChildProcess } from 'node:child_process';
import { start, until } from './exec.js';

/** A move takes a second by itself; the limit is for what hangs, on machines that may be busy. */
const HAPPENS_MS = 60_000;

/** Events that are kept word by word. */
const KEPT = 20;

interface Told {
  readonly event: string;
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

/** A QEMU that is killed may end within a line. */
function read(line: string): Partial<Told> {
  try {
    return JSON.parse(line) as Partial<Told>;
  } catch {
    return {};
  }
}

/** When a guest was stopped and went on last, as its QEMU tells it: ms since the epoch, by QEMU's own reading of the clock. */
export class QemuEvents {
  readonly #at = new Map<string, number>();
  readonly #last: string[] = [];

  private constructor(private readonly source: { close(): void }) {}

  /** On a monitor that nobody else speaks to. */
  static async onMonitor(path: string): Promise<QemuEvents> {
    const socket: Socket = createConnection(path);
    await once(socket, 'connect');
    const events = new QemuEvents({ close: () => socket.destroy() });
    const lines = createInterface({ input: socket });
    // That its QEMU has ended is told by the QEMU's process.
    for (const source of [socket, lines]) source.on('error', () => undefined);
    lines.on('line', (line) => {
      const told = read(line);
      if (told.event === undefined || told.timestamp === undefined) return;
      events.#last.push(line);
      if (events.#last.length > KEPT) events.#last.shift();
      events.#at.set(told.event, told.timestamp.seconds * 1_000 + told.timestamp.microseconds / 1_000);
    });
    socket.write('{"execute":"qmp_capabilities"}\n');
    return events;
  }

  /** Of the guests of a libvirtd, of which one at a time is looked at. */
  static ofLibvirt(uri: string): QemuEvents {
    const child: ChildProcess = start(['virsh', '-q', '-c', uri, 'qemu-monitor-event', '--loop'], {
      stdio: 'pipe',
    });
    const events = new QemuEvents({ close: () => void child.kill() });
    if (child.stdout === null) throw new Error('no pipe to virsh');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, event, seconds] = /^event (\w+) at (\d+\.\d+) for domain/.exec(line) ?? [];
      if (event !== undefined) events.#at.set(event, Number(seconds) * 1_000);
    });
    return events;
  }

  /** Resolves when it has happened since the last `forget`. */
  when(event: 'STOP' | 'RESUME'): Promise<number> {
    return until(`${event} of the guest`, () => Promise.resolve(this.#at.get(event)), HAPPENS_MS);
  }

  /** The last of them, as they were told. */
  get last(): readonly string[] {
    return this.#last;
  }

  forget(): void {
    this.#at.clear();
  }

  close(): void {
    this.source.close();
  }
}
