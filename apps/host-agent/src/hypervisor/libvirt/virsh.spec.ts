import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirshProgram } from './virsh.js';

describe('virsh as a program', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ptl-virsh-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** One that does this. */
  async function program(script: string): Promise<VirshProgram> {
    const path = join(dir, 'virsh');
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    return new VirshProgram('qemu:///system', path);
  }

  it('is told where to connect, and speaks a language that can be read', async () => {
    const virsh = await program('echo "$LC_ALL $*"');
    expect(await virsh.run(['domstate', 'web'])).toEqual({
      ok: true,
      value: 'C -k 5 -K 3 -q -c qemu:///system domstate web\n',
    });
  });

  it.each([
    ['error: Requested operation is not valid: domain is not running', 'refused'],
    ['error: failed to connect to the hypervisor\nerror: Failed to connect socket', 'unavailable'],
    [
      'error: Disconnected from qemu:///system due to end of file\nerror: End of file while reading data',
      'unknown',
    ],
  ])('that fails with "%s" is %s', async (said, code) => {
    const virsh = await program(`printf '%s\\n' "${said}" >&2; exit 1`);
    const message = said.replaceAll('error: ', '').replaceAll('\n', '; ');
    expect(await virsh.run(['x'])).toMatchObject({ ok: false, error: { code, message } });
  });

  it('that hangs, or is not there, is a fault', async () => {
    const virsh = await program('exec sleep 1000');
    expect(await virsh.run(['x'], 50)).toMatchObject({ error: { code: 'unknown' } });
    const none = new VirshProgram('qemu:///system', join(dir, 'none'));
    expect(await none.run(['x'])).toMatchObject({ error: { code: 'unavailable' } });
    const why = await new Promise((resolve) => none.watch(() => undefined, resolve));
    expect(why).toContain('ENOENT');
  });

  it('tells events until it ends, and why', async () => {
    const virsh = await program('echo one; echo two; echo "error: Disconnected" >&2; exit 1');
    const lines: string[] = [];
    const why = await new Promise((resolve) => virsh.watch((line) => lines.push(line), resolve));
    expect({ lines, why }).toEqual({ lines: ['one', 'two'], why: 'Disconnected' });
  });

  it('leaves nothing behind', async () => {
    const virsh = await program('echo ready; exec sleep 1000');
    const ended = virsh.run(['x'], null);
    let watched = '';
    await new Promise<void>((resolve) => {
      virsh.watch(
        () => resolve(),
        (why) => (watched = why),
      );
    });
    virsh.close();
    expect(await ended).toMatchObject({ error: { code: 'unknown' } });
    expect(watched === '' || watched.includes('SIGTERM')).toBe(true);
  });
});
