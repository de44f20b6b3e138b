import { messageOf, type Clock } from '#kernel';
import { type Socket } from 'node:net';
import { onArrival } from './arrival.js';
import { dial, formatEndpoint, type Endpoint } from './endpoint.js';

export interface LinkHandlers {
  /** A connection stands; its session may begin to talk. */
  open(): void;
  data(chunk: Buffer): void;
  /** It is gone, or could not be made; the next attempt is already planned. */
  down(reason: string): void;
}

export interface LinkOptions {
  readonly clock: Clock;
  /** From 0 up to 1, for the jitter. */
  readonly random?: () => number;
  /** Longest pause between two attempts, in milliseconds. */
  readonly maxPauseMs?: number;
  /** Milliseconds that an attempt to connect may take. */
  readonly connectTimeoutMs?: number;
}

/** A server's socket has its file a moment before it can be connected to. */
const NOT_YET_MS = 5;

/**
 * A connection that comes back.
 *
 * | state | on | goes to |
 * | --- | --- | --- |
 * | closed | start | dialling |
 * | dialling | connected / failed, late | open / pausing |
 * | open | lost, dropped | pausing |
 * | pausing | the pause is over | dialling |
 * | any | close | closed |
 *
 * The pause is nothing after a session that had settled (a restarted switch is back at once for a supervisor), else
 * a random quarter to whole of `maxPauseMs`: many agents that lost one thing do not come back in one wave, and a peer
 * that accepts and hangs up is not asked in a loop. The file of a unix socket that is made anew ends the pause.
 */
export class Link {
  private socket: Socket | undefined;
  private open = false;
  private closed = true;
  private settled = false;
  /** Where the last attempt went. */
  private at: Endpoint | undefined;
  /** This attempt was made because the socket's file came. */
  private arrived = false;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly endpoint: () => Endpoint | Promise<Endpoint>,
    private readonly handlers: LinkHandlers,
    private readonly options: LinkOptions,
  ) {}

  start(): void {
    if (!this.closed) return;
    this.closed = false;
    this.dial();
  }

  /** True while bytes can be sent. */
  get isOpen(): boolean {
    return this.open;
  }

  /** Bytes that wait in this process because the peer does not read. */
  get backlog(): number {
    return this.socket?.writableLength ?? 0;
  }

  /** To be called when the session on top has proved to work. */
  settle(): void {
    this.settled = true;
  }

  /** Sends; what is sent while not open is dropped, since the session's requests have failed by then. */
  write(bytes: Uint8Array | string): void {
    if (this.open) this.socket?.write(bytes);
  }

  /** Hangs up because the session found a fault; connects anew. */
  drop(reason: string): void {
    if (this.socket) this.lose(this.socket, reason);
  }

  close(): void {
    this.closed = true;
    this.cancelTimer();
    this.open = false;
    this.socket?.destroy();
    this.socket = undefined;
  }

  private dial(): void {
    this.settled = false;
    Promise.resolve()
      .then(() => this.endpoint())
      .then(
        (at) => this.connectTo(at),
        (cause: unknown) => this.fail(messageOf(cause)),
      );
  }

  private connectTo(at: Endpoint): void {
    if (this.closed) return;
    this.at = at;
    const socket = dial(at);
    const name = formatEndpoint(at);
    this.socket = socket;
    const limit = this.options.connectTimeoutMs ?? 2_000;
    this.cancelTimer = this.options.clock.after(limit, () =>
      this.lose(socket, `${name}: no answer in ${limit} ms`),
    );
    socket.on('connect', () => {
      if (this.socket !== socket) return;
      this.cancelTimer();
      this.open = true;
      this.guard(socket, () => this.handlers.open());
    });
    socket.on('data', (chunk) => {
      if (this.socket === socket) this.guard(socket, () => this.handlers.data(chunk));
    });
    socket.on('error', (error) => this.lose(socket, `${name}: ${error.message}`));
    socket.on('close', () => this.lose(socket, `${name}: the peer hung up`));
  }

  /** What a session that failed at something knows is in doubt: it begins anew, and the fault is why it ended. */
  private guard(socket: Socket, act: () => void): void {
    try {
      act();
    } catch (cause) {
      // Not at once: it may be told the same again.
      this.settled = false;
      this.lose(socket, failed(cause));
    }
  }

  private lose(socket: Socket, reason: string): void {
    if (this.socket !== socket) return;
    this.socket = undefined;
    this.open = false;
    socket.destroy();
    this.fail(reason);
  }

  private fail(reason: string): void {
    if (this.closed) return;
    this.cancelTimer();
    this.cancelTimer = this.pause(this.pauseMs());
    this.handlers.down(reason);
  }

  private pauseMs(): number {
    if (this.settled) return 0;
    if (this.arrived) return NOT_YET_MS;
    const max = this.options.maxPauseMs ?? 200;
    return max * (0.25 + 0.75 * (this.options.random ?? Math.random)());
  }

  /** Until the next attempt; returns how to give it up. */
  private pause(ms: number): () => void {
    const again = (arrived: boolean): void => {
      cancel();
      this.arrived = arrived;
      this.dial();
    };
    const cancels = [this.options.clock.after(ms, () => again(false))];
    if (this.at !== undefined) cancels.push(onArrival(this.at, () => again(true)));
    const cancel = (): void => cancels.forEach((each) => each());
    return cancel;
  }
}

/** Why a session ended that failed at what it was told, with the place. */
export const failed = (cause: unknown): string =>
  `the session failed at what it was told: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`;
