import { afterEach, describe, expect, it } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { HealthRegistry } from './registry.js';
import { HealthServer } from './server.js';

let server: HealthServer;
afterEach(() => server.close());

async function started(health: HealthRegistry, metrics = new Registry()): Promise<string> {
  server = new HealthServer(health, metrics, { port: 0 });
  return `http://127.0.0.1:${await server.listen()}`;
}

describe('health over HTTP', () => {
  it('is live always, ready only when every named check is', async () => {
    const health = new HealthRegistry();
    let connected = false;
    health.register('nats', () => ({ ok: connected, reason: connected ? 'connected' : 'connecting' }));
    const url = await started(health);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    const before = await fetch(`${url}/health/ready`);
    expect([before.status, await before.json()]).toEqual([
      503,
      { ok: false, checks: { nats: { ok: false, reason: 'connecting' } } },
    ]);
    connected = true;
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('counts a check that throws as failed, by reason', async () => {
    const health = new HealthRegistry();
    health.register('broken', () => {
      throw new Error('no switch');
    });
    expect(await health.readiness()).toEqual({
      ok: false,
      checks: { broken: { ok: false, reason: 'no switch' } },
    });
    await started(health);
  });

  it('serves metrics, and nothing else', async () => {
    const metrics = new Registry();
    new Counter({ name: 'commits_total', help: 'commits', registers: [metrics] }).inc(3);
    const url = await started(new HealthRegistry(), metrics);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('commits_total 3');
    expect((await fetch(`${url}/etc/passwd`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
  });
});
