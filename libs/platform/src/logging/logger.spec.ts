import { describe, expect, it } from '@jest/globals';
import { withCorrelation } from '../correlation.js';
import { createLogger, NestLogger } from './logger.js';
import { redactText, redactValue } from './redact.js';

function capture(): { lines: Record<string, unknown>[]; write(text: string): void } {
  const lines: Record<string, unknown>[] = [];
  return { lines, write: (text) => void lines.push(JSON.parse(text) as Record<string, unknown>) };
}

describe('logger', () => {
  it('puts service, level by name and correlation on the line, across awaits', async () => {
    const out = capture();
    const logger = createLogger({ name: 'api', destination: out });
    await withCorrelation('c-1', async () => {
      await Promise.resolve();
      logger.info({ port: 'p1' }, 'bound');
    });
    logger.info('outside');
    expect(out.lines[0]).toMatchObject({
      level: 'info',
      service: 'api',
      correlation: 'c-1',
      port: 'p1',
      msg: 'bound',
    });
    expect(out.lines[1]).not.toHaveProperty('correlation');
  });

  it('never lets an outside id that is no token through', () => {
    const out = capture();
    const logger = createLogger({ name: 'api', destination: out });
    withCorrelation('a b\n{}', () => logger.info('x'));
    expect(out.lines[0]?.['correlation']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('hides secrets at any depth, in text and in errors', () => {
    const out = capture();
    const logger = createLogger({ name: 'api', destination: out });
    logger.error(
      {
        handover: { token: '03:aa' },
        list: [{ password: 'p' }],
        err: new Error('nats://u:geheim@h:4222 refused'),
      },
      'nats://u:geheim@h',
    );
    const text = JSON.stringify(out.lines);
    expect(text).not.toMatch(/geheim|03:aa|"p"/);
    expect(text).toContain('nats://u:(hidden)@h');
    expect(redactText('Authorization: Bearer abc.def')).toBe('Authorization: Bearer (hidden)');
  });

  it('survives cycles, depth and bytes', () => {
    const cyclic: Record<string, unknown> = { n: 1n, bytes: new Uint8Array(3) };
    cyclic['self'] = cyclic;
    expect(redactValue(cyclic)).toEqual({ n: '1', bytes: '(3 bytes)', self: '(cycle)' });
  });

  it('takes Nest lines with context, stack and errors', () => {
    const out = capture();
    const nest = new NestLogger(createLogger({ name: 'api', destination: out }));
    nest.log('started', 'NestApplication');
    nest.error(new Error('boom'), 'Router');
    expect(out.lines[0]).toMatchObject({ msg: 'started', context: 'NestApplication' });
    expect(out.lines[1]).toMatchObject({ level: 'error', msg: 'boom', context: 'Router' });
    expect(out.lines[1]?.['err']).toMatchObject({ type: 'Error', message: 'boom' });
  });
});
