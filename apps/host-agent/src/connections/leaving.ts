import { type Epoch, type PortId } from '#kernel';
import { MOST_CONNECTIONS, type CarriedConnection, type ConnectionsMessage } from '#contracts';
import { type KeepsState } from '#compiler';
import { type ServiceHost } from '../service.js';
import { keyOf, toldOf } from './told.js';

/** Of one port. */
export const MOST_OF_A_PORT = 16_384;
/** Between two looks: the switch tells of no connection by itself. */
const EVERY_MS = 1_000;
/** A look holds up the switch: no more than one part in so many of its time. */
const SHARE = 50;
/** All are told again: some of it may not have arrived. */
const AGAIN_MS = 10_000;

export interface Departure {
  readonly port: PortId;
  /** Of the standby. */
  readonly epoch: Epoch;
}

/** Tells the next host of a port's connections as they come and go, until the port has left. */
export class Leaving {
  readonly #told = new Map<string, CarriedConnection>();
  #allToldAt = -Infinity;
  #cancel = (): void => undefined;
  #looking: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(
    readonly departure: Departure,
    private state: KeepsState,
    private readonly host: Pick<ServiceHost, 'driver' | 'clock' | 'log'>,
    private readonly tell: (message: ConnectionsMessage) => void,
  ) {}

  /** What its rules are by now. */
  follow(state: KeepsState): void {
    this.state = state;
  }

  start(): void {
    this.#cancel();
    const began = this.host.clock.monotonic();
    void this.#look().then(() => {
      const took = this.host.clock.monotonic() - began;
      if (!this.#isOver)
        this.#cancel = this.host.clock.after(Math.max(EVERY_MS, took * SHARE), () => this.start());
    });
  }

  /** The port has left: one look more, and no other. */
  async last(): Promise<void> {
    if (this.#isOver) return;
    this.stop();
    await this.#look();
    const { port } = this.departure;
    this.host.log.info(
      { port, connections: this.#told.size },
      'the next host knows the connections of a port',
    );
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel();
  }

  #look(): Promise<void> {
    return (this.#looking = this.#looking
      .then(() => this.#difference())
      .catch((cause: unknown) => {
        const { port } = this.departure;
        this.host.log.warn(
          { port, reason: String(cause) },
          'connections of a port that leaves can’t be read',
        );
      }));
  }

  async #difference(): Promise<void> {
    const now = new Map<string, CarriedConnection>();
    for (const one of await this.host.driver.connections(this.state.zone)) {
      const told = toldOf(one, this.state);
      if (told !== null) now.set(keyOf(told), told);
      if (now.size >= MOST_OF_A_PORT) break;
    }
    const time = this.host.clock.monotonic();
    const isAll = time - this.#allToldAt >= AGAIN_MS;
    if (isAll) this.#allToldAt = time;
    const known = [...now].flatMap(([key, one]) => (isAll || isNews(this.#told.get(key), one) ? [one] : []));
    const gone = [...this.#told].flatMap(([key, one]) => (now.has(key) ? [] : [one]));
    this.#told.clear();
    for (const [key, one] of now) this.#told.set(key, one);
    this.#send(known, gone);
  }

  #send(known: readonly CarriedConnection[], gone: readonly CarriedConnection[]): void {
    for (let at = 0; at < known.length || at < gone.length; at += MOST_CONNECTIONS) {
      const part = <T>(all: readonly T[]): T[] => all.slice(at, at + MOST_CONNECTIONS);
      this.tell({ schema: 1, ...this.departure, known: part(known), gone: part(gone) });
    }
  }
}

const isNews = (before: CarriedConnection | undefined, now: CarriedConnection): boolean =>
  before === undefined || before.opening !== now.opening;
