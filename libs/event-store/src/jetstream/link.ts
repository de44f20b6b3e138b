import { type NatsConnection } from '@nats-io/transport-node';

/** Whether a connection is up, for as long as it exists: the client itself only tells of changes. */
export class Link {
  #up = true;
  readonly #listeners = new Set<(up: boolean) => void>();

  constructor(readonly nc: NatsConnection) {
    void this.#watch();
  }

  get up(): boolean {
    return this.#up && !this.nc.isClosed();
  }

  onChange(listener: (up: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the connection is up, or closed for good. */
  async settled(): Promise<void> {
    while (!this.up && !this.nc.isClosed()) {
      await new Promise<void>((resolve) => {
        const off = this.onChange(() => {
          off();
          resolve();
        });
      });
    }
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.nc.status()) {
      if (type === 'disconnect' || type === 'close') this.#set(false);
      else if (type === 'reconnect') this.#set(true);
    }
    this.#set(false);
  }

  #set(up: boolean): void {
    this.#up = up;
    for (const listener of [...this.#listeners]) listener(up);
  }
}
