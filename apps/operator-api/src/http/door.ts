import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { problem } from '#kernel';
import { sendProblem } from './send.js';

/**
 * The address that people know, open from the first moment: as long as nothing can be answered yet, that is said with
 * the reason. A refused connection would look as if this service were not there, where it is another that is missing.
 */
export class Door {
  #answer: RequestListener;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  private constructor(whyNot: () => string) {
    this.#answer = (request, response) => notYet(request, response, whyNot());
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Rejects when the address can't be had. */
  static async open(address: string, port: number, whyNot: () => string): Promise<Door> {
    const door = new Door(whyNot);
    try {
      door.#server.listen(port, address);
      await once(door.#server, 'listening');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE') throw cause;
      const where = `${address}:${port}`;
      throw new Error(`${where} is in use already; set PORTOLAN_API_PORT to another port`, { cause });
    }
    return door;
  }

  /** From now on the application answers. */
  leadTo(application: RequestListener): void {
    this.#answer = application;
  }

  /** May be called again. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

const RETRY_AFTER_S = 1;

function notYet({ url }: IncomingMessage, response: ServerResponse, reason: string): void {
  response.setHeader('retry-after', String(RETRY_AFTER_S));
  if (url === '/health/live') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ok: true }));
    return;
  }
  sendProblem(response, problem('unavailable', `this operator-api is not ready yet: ${reason}`));
}
