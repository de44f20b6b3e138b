import { createConnection, type Socket } from 'node:net';
import { err, ok, problem, type Result } from '#kernel';
import { QmpLines, type QmpLine } from './lines.js';

export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface QmpOptions {
  /** What the monitor tells by itself. Must not throw. */
  readonly onEvent: (event: QmpEvent) => void;
  /** The connection is over; told once, and only after it had been made. */
  readonly onClose: (reason: string) => void;
  /** How long a greeting and each answer may take, ms; absent: 5000. */
  readonly patienceMs?: number;
}

interface Waiting {
  readonly command: string;
  readonly settle: (answer: Result<unknown>) => void;
  readonly late: NodeJS.Timeout;
}

/**
 * One connection to the monitor of a QEMU: greeting, `qmp_capabilities`, then commands, each with its id, and events.
 * Faults are values: `refused` is QEMU's own word, `unavailable` a command that was never sent, `unknown` one that may
 * have been carried out. After a line that makes no sense, or no answer, nothing else is believed: the connection is given up.
 */
export class QmpClient {
  readonly #waiting = new Map<number, Waiting>();
  readonly #lines = new QmpLines();
  #nextId = 1;
  #over: string | null = null;
  #greeted: ((line: QmpLine) => void) | null = null;
  #isReady = false;
  #version = '';

  private constructor(
    private readonly socket: Socket,
    private readonly options: QmpOptions,
  ) {
    socket.on('data', (chunk: Buffer) => {
      for (const line of this.#lines.push(chunk)) this.#take(line);
    });
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('the monitor closed the connection'));
  }

  static async connect(path: string, options: QmpOptions): Promise<Result<QmpClient>> {
    const client = new QmpClient(createConnection(path), options);
    const greeted = await client.#greeting();
    const able = greeted.ok ? await client.execute('qmp_capabilities') : greeted;
    if (!able.ok) {
      client.#end(able.error.message);
      return err(problem('unavailable', `no monitor at ${path}: ${able.error.message}`));
    }
    client.#isReady = true;
    return ok(client);
  }

  /** As QEMU greeted with, e.g. `7.2.22`. */
  get version(): string {
    return this.#version;
  }

  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<Result<unknown>> {
    if (this.#over !== null) return Promise.resolve(err(problem('unavailable', this.#over)));
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const settle = (answer: Result<unknown>): void => {
        clearTimeout(late);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const late = setTimeout(() => this.#end(`no answer within ${this.#patience} ms`), this.#patience);
      this.#waiting.set(id, { command, settle, late });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  close(): void {
    this.#isReady = false;
    this.#end('closed');
  }

  get #patience(): number {
    return this.options.patienceMs ?? 5_000;
  }

  /** A monitor serves one client at a time: a second one is let in, and hears nothing. */
  #greeting(): Promise<Result<void>> {
    return new Promise((resolve) => {
      const done = (result: Result<void>): void => {
        clearTimeout(late);
        this.#greeted = null;
        this.#closing = null;
        resolve(result);
      };
      const fault = (why: string): void => done(err(problem('unavailable', why)));
      const late = setTimeout(
        () => fault(`no greeting within ${this.#patience} ms; does somebody else hold it?`),
        this.#patience,
      );
      this.#closing = fault;
      this.#greeted = (line) => {
        if (line.kind !== 'greeting') return fault('what answers there is no QEMU monitor');
        this.#version = line.version;
        done(ok(undefined));
      };
    });
  }

  #closing: ((why: string) => void) | null = null;

  #take(line: QmpLine): void {
    if (this.#over !== null) return;
    if (line.kind === 'garbled')
      return this.#end(`the monitor sent what is not its language: ${line.reason}`);
    if (this.#greeted !== null) return this.#greeted(line);
    if (line.kind === 'event') return this.options.onEvent({ name: line.name, data: line.data });
    if (line.kind === 'greeting') return this.#end('the monitor greeted twice');
    const waiting = line.id === null ? undefined : this.#waiting.get(line.id);
    // An answer that is not waited for any more came too late.
    if (line.kind === 'return') return waiting?.settle(ok(line.value));
    const fault = problem('refused', `${waiting?.command ?? 'a command'}: ${line.desc} (${line.class})`);
    if (waiting !== undefined) waiting.settle(err(fault));
    else if (line.id === null) this.#end(fault.message);
  }

  #end(reason: string): void {
    if (this.#over !== null) return;
    this.#over = reason;
    this.socket.destroy();
    this.#closing?.(reason);
    for (const { command, settle } of [...this.#waiting.values()])
      settle(err(problem('unknown', `${command} was not answered: ${reason}`)));
    if (this.#isReady) this.options.onClose(reason);
  }
}
