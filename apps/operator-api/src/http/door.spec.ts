import { afterEach, describe, expect, it } from '@jest/globals';
import { Door } from './door.js';

describe('the door of an API that can’t answer yet', () => {
  let door: Door;
  afterEach(() => door.close());

  it('says why not, that it lives, and lets the application answer once it can', async () => {
    let why = 'the message server is connecting: connection refused';
    door = await Door.open('127.0.0.1', 0, () => why);
    const at = `http://127.0.0.1:${door.port}`;
    const early = await fetch(`${at}/v1/status`);
    expect([early.status, early.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
    expect(await early.json()).toMatchObject({
      code: 'unavailable',
      retry: true,
      detail: `this operator-api is not ready yet: ${why}`,
    });
    why = 'the log is being read';
    expect(await (await fetch(`${at}/health/ready`)).json()).toMatchObject({
      detail: expect.stringContaining(why),
    });
    expect((await fetch(`${at}/health/live`)).status).toBe(200);
    door.leadTo((_request, response) => response.end('the application'));
    expect(await (await fetch(`${at}/v1/status`)).text()).toBe('the application');
    await door.close();
  });

  it('says that its address is taken', async () => {
    door = await Door.open('127.0.0.1', 0, () => '');
    await expect(Door.open('127.0.0.1', door.port, () => '')).rejects.toThrow(
      `127.0.0.1:${door.port} is in use already; set PORTOLAN_API_PORT`,
    );
  });
});
