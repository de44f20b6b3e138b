import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Registry } from 'prom-client';
import { type HealthRegistry } from './registry.js';

export interface HealthServerOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** `/health/live`, `/health/ready` (503 with the failed checks while not ready), `/metrics` in Prometheus' text form. */
export class HealthServer {
  private server: Server | undefined;

  constructor(
    private readonly health: HealthRegistry,
    private readonly metrics: Registry,
    private readonly options: HealthServerOptions,
  ) {}

  /** Resolves with the port; rejects when it can't be had (in use, not allowed). */
  async listen(): Promise<number> {
    const server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) send(response, 500, { ok: false, reason: String(error) });
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.options.port, this.options.address ?? '127.0.0.1', resolve);
    });
    this.server = server;
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET') return send(response, 405, { ok: false, reason: 'only GET' });
    const path = (request.url ?? '').split('?')[0];
    if (path === '/health/live') return send(response, 200, { ok: true });
    if (path === '/health/ready') {
      const readiness = await this.health.readiness();
      return send(response, readiness.ok ? 200 : 503, readiness);
    }
    if (path !== '/metrics') return send(response, 404, { ok: false, reason: 'no such page' });
    response.writeHead(200, { 'content-type': this.metrics.contentType }).end(await this.metrics.metrics());
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
