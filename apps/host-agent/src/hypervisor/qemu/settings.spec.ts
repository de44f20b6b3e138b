import { describe, expect, it } from '@jest/globals';
import { type HostName, type MigrationId } from '#kernel';
import { guestOf, migrateUri, qemuSettings } from './settings.js';

const given = {
  qmpDir: '/run/qemu',
  qemuMigrateUri: 'tcp:{host}:4444',
  qemuDowntimeMs: 100,
  qemuPatienceMs: 1_000,
  qemuPause: 'no',
};

describe('how QEMUs are reached', () => {
  it('is taken as given', () => {
    expect(qemuSettings(given)).toMatchObject({ ok: true, value: { monitors: '/run/qemu' } });
  });

  it('is refused with every fault, by the names an operator knows', () => {
    const { qemuDowntimeMs, qemuPatienceMs, qemuPause } = given;
    expect(qemuSettings({ qemuDowntimeMs, qemuPatienceMs, qemuPause })).toMatchObject({
      error: { details: [{ field: 'PORTOLAN_QMP_DIR' }, { field: 'PORTOLAN_QEMU_MIGRATE_URI' }] },
    });
    expect(qemuSettings({ ...given, qmpDir: 'run' })).toMatchObject({ ok: false });
    for (const uri of [
      'exec:cat',
      'fd:3',
      'tcp:a',
      'tcp:a:b',
      'unix:x',
      'unix:/a b',
      'unix:/{owner}',
      'unix:/a,b',
    ])
      expect(qemuSettings({ ...given, qemuMigrateUri: uri })).toMatchObject({
        error: { message: expect.stringContaining('PORTOLAN_QEMU_MIGRATE_URI') },
      });
  });

  it('names guests by their sockets, and destinations by host', () => {
    expect(['web-1.qmp', 'web', '.qmp', 'a b.qmp', 'web.qmp.old'].map(guestOf)).toEqual([
      'web-1',
      null,
      null,
      null,
      null,
    ]);
    const uri = (template: string, owner: string, n = 1): string | null =>
      migrateUri(
        { monitors: '', migrateUri: template, downtimeMs: 1, patienceMs: 1, pauses: false },
        { owner, migration: `m${n}` as MigrationId },
        'south' as HostName,
      );
    expect(uri('unix:/m/{host}/{vm}', 'web')).toBe('unix:/m/south/web');
    expect(uri('unix:/m/{host}/{vm}', '../x')).toBeNull();
    expect([1, 2, 65].map((n) => uri('tcp:{host}:{port}', 'web', n))).toEqual([
      'tcp:south:49153',
      'tcp:south:49154',
      'tcp:south:49153',
    ]);
  });
});
