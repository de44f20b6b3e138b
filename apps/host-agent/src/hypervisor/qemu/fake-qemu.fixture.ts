import { createServer, type Server, type Socket } from 'node:net';
import { rmSync } from 'node:fs';

type Fields = Readonly<Record<string, unknown>>;
type Answer =
  { readonly return: unknown } | { readonly error: { readonly class: string; readonly desc: string } };

export const refused = (desc: string): Answer => ({ error: { class: 'GenericError', desc } });

/** A monitor that says what a test wants it to, on a real socket. */
export class FakeQemu {
  readonly heard: { readonly command: string; readonly args: Fields }[] = [];
  runState = 'running';
  migration: Fields = {};
  /** What becomes of `migrate`; the default: QEMU takes it and copies. */
  onMigrate: () => Answer = () => {
    this.becomes('active');
    return { return: {} };
  };
  onCancel: () => Answer = () => {
    this.becomes('cancelled');
    return { return: {} };
  };
  onIncoming: () => Answer = () => ({ return: {} });
  isMute = false;
  /** Called before a command is carried out and after; what it says `false` to is not carried out, or not answered. */
  onCommand: (command: string, when: 'before' | 'after') => boolean = () => true;
  readonly capabilities = new Map<string, boolean>([
    ['events', false],
    ['pause-before-switchover', false],
  ]);
  #server: Server | null = null;
  #socket: Socket | null = null;
  #waiting: { readonly command: string; readonly resolve: () => void }[] = [];

  constructor(
    readonly path: string,
    private readonly greeting = '{"QMP":{"version":{"qemu":{"major":7,"minor":2,"micro":1},"package":""},"capabilities":[]}}\n',
  ) {}

  async listen(): Promise<this> {
    rmSync(this.path, { force: true });
    const server = createServer((socket) => {
      this.#socket = socket;
      socket.on('error', () => undefined);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
        for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
          this.#take(socket, JSON.parse(text.slice(0, at)) as Fields);
          text = text.slice(at + 1);
        }
      });
      socket.write(this.greeting);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
    return this;
  }

  say(text: string): void {
    this.#socket?.write(text);
  }

  event(name: string, data: Fields = {}): void {
    this.say(`${JSON.stringify({ event: name, data, timestamp: { seconds: 1, microseconds: 2 } })}\n`);
  }

  /** A state of the migration, as an event and for whoever asks. */
  becomes(status: string, more: Fields = {}): void {
    this.migration = { status, ...more };
    this.event('MIGRATION', { status });
  }

  /** Resolves when the next such command comes. */
  next(command: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ command, resolve }));
  }

  of(command: string): readonly Fields[] {
    return this.heard.filter((h) => h.command === command).map((h) => h.args);
  }

  /** As when the process dies. */
  async die(): Promise<void> {
    this.#socket?.destroy();
    const server = this.#server;
    this.#server = null;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #take(socket: Socket, { execute, arguments: args, id }: Fields): void {
    const command = String(execute);
    if (!this.onCommand(command, 'before')) return;
    this.heard.push({ command, args: (args ?? {}) as Fields });
    if (this.isMute) return;
    const answer = this.#answer(command, (args ?? {}) as Fields);
    if (!this.onCommand(command, 'after')) return;
    socket.write(`${JSON.stringify({ ...answer, id })}\n`);
    for (const one of this.#waiting.filter((w) => w.command === command)) one.resolve();
    this.#waiting = this.#waiting.filter((w) => w.command !== command);
  }

  #answer(command: string, args: Fields): Answer {
    if (command === 'query-migrate-capabilities')
      return { return: [...this.capabilities].map(([capability, state]) => ({ capability, state })) };
    if (command === 'migrate-set-capabilities') return this.#setCapabilities(args);
    if (command === 'migrate-incoming') return this.onIncoming();
    if (command === 'query-status')
      return { return: { status: this.runState, running: this.runState === 'running' } };
    if (command === 'query-migrate') return { return: this.migration };
    if (command === 'migrate') return this.onMigrate();
    if (command === 'migrate_cancel') return this.onCancel();
    return { return: {} };
  }

  /** None is taken while it migrates, as in QEMU 7.2. */
  #setCapabilities({ capabilities }: Fields): Answer {
    if (['setup', 'active', 'pre-switchover', 'device'].includes(String(this.migration['status'])))
      return refused('There’s a migration process in progress');
    for (const { capability, state } of capabilities as { capability: string; state: boolean }[])
      this.capabilities.set(capability, state);
    return { return: {} };
  }
}
