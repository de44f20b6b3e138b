import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../logging/logger.js';
import { Shutdown } from './shutdown.js';

const lines: string[] = [];
const logger = createLogger({ name: 'spec', destination: { write: (text) => void lines.push(text) } });

function shutdown(limitMs = 5_000): { it: Shutdown; ended: Promise<number> } {
  let exit!: (code: number) => void;
  const ended = new Promise<number>((resolve) => (exit = resolve));
  return { it: new Shutdown({ logger, limitMs, exit }), ended };
}

describe('Shutdown', () => {
  it('runs the steps in reverse, one after the other, once', async () => {
    const { it: s, ended } = shutdown();
    const order: string[] = [];
    for (const name of ['link', 'app']) {
      s.add(name, async () => {
        await Promise.resolve();
        order.push(name);
      });
    }
    await Promise.all([s.begin('test', 0), s.begin('test again', 7)]);
    expect([order, await ended]).toEqual([['app', 'link'], 0]);
  });

  it('goes on after a step that fails, and says so in its code', async () => {
    const { it: s, ended } = shutdown();
    const order: string[] = [];
    s.add('first', () => order.push('first'));
    s.add('bad', () => Promise.reject(new Error('stuck file')));
    await s.begin('test', 0);
    expect([order, await ended]).toEqual([['first'], 1]);
    expect(lines.join('')).toContain('stuck file');
  });

  it('ends anyway when a step never does', async () => {
    const { it: s, ended } = shutdown(5);
    s.add('hanging', () => new Promise(() => undefined));
    void s.begin('test', 0);
    expect(await ended).toBe(1);
    expect(lines.join('')).toContain('at hanging');
  });

  it('takes a signal, and lets go of signals when disarmed', async () => {
    const { it: s, ended } = shutdown();
    const disarm = s.arm();
    process.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(0);
    disarm();
    expect(process.listeners('SIGTERM')).toEqual([]);
  });
});
