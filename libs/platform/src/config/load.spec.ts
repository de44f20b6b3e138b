import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommonConfig } from './common.js';
import { loadConfig, redactConfig } from './load.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'portolan-config-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const file = (text: string): string => {
  const path = join(dir, 'c.yaml');
  writeFileSync(path, text);
  return path;
};

describe('loadConfig', () => {
  it('takes environment before file before default', async () => {
    const loaded = await loadConfig(CommonConfig, {
      env: { PORTOLAN_HEALTH_PORT: '9001', PORTOLAN_NATS_URL: 'nats://a:1, nats://b:2' },
      file: file('healthPort: 8000\nlogLevel: debug\n'),
    });
    expect(loaded).toMatchObject({
      ok: true,
      value: {
        healthPort: 9001,
        logLevel: 'debug',
        natsUrl: ['nats://a:1', 'nats://b:2'],
        healthAddress: '127.0.0.1',
      },
    });
  });

  it('names variable, value and what is right, for all faults at once', async () => {
    const loaded = await loadConfig(CommonConfig, {
      env: { PORTOLAN_HEALTH_PORT: 'soon', PORTOLAN_LOG_LEVEL: 'loud' },
    });
    expect(loaded).toMatchObject({
      ok: false,
      error: {
        code: 'invalid',
        details: [
          { field: 'PORTOLAN_HEALTH_PORT', value: '"soon"', expected: 'a port number, 0 for any free one' },
          { field: 'PORTOLAN_LOG_LEVEL', value: '"loud"' },
        ],
      },
    });
  });

  it.each([
    ['unknown key', 'colour: red\n', 'colour'],
    ['not a mapping', '- 1\n', 'mapping'],
    ['broken YAML', 'a: [1\n', 'PORTOLAN_CONFIG'],
  ])('refuses a file with %s', async (_what, text, word) => {
    const loaded = await loadConfig(CommonConfig, { env: { PORTOLAN_CONFIG: file(text) } });
    expect(loaded.ok ? '' : loaded.error.message).toContain(word);
  });

  it('hides secrets', async () => {
    const loaded = await loadConfig(CommonConfig, { env: { PORTOLAN_NATS_PASSWORD: 'hush' } });
    const shown = loaded.ok ? redactConfig(loaded.value) : {};
    expect(shown['natsPassword']).toBe('(hidden)');
    expect(JSON.stringify(shown)).not.toContain('hush');
  });
});
