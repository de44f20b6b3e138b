import { describe, expect, it } from '@jest/globals';
import { unwrap, type HostName } from '#kernel';
import { libvirtSettings, migrateCommand } from './settings.js';

const SOUTH = 'south' as HostName;
const given = {
  libvirtUri: 'qemu:///system',
  libvirtDestination: 'qemu+tls://{host}/system',
  libvirtOptions: '',
};
const guest = { uuid: '8a1e4c1e-0000-4000-8000-000000000001', owner: 'web', isPersistent: false };
const command = (more: object) =>
  migrateCommand(unwrap(libvirtSettings({ ...given, ...more })), guest, SOUTH, null);

describe('how libvirt is reached', () => {
  it('is taken as given, with options for every migration', () => {
    expect(command({ libvirtMigrateUri: 'unix:///run/{vm}.{host}' })).toEqual(
      expect.arrayContaining(['--p2p', '--migrateuri', 'unix:///run/web.south', 'qemu+tls://south/system']),
    );
    expect(command({ libvirtOptions: 'post-copy,tls' })).toEqual(
      expect.arrayContaining(['--p2p', '--postcopy', '--tls']),
    );
    expect(command({ libvirtOptions: 'direct' })).not.toContain('--p2p');
  });

  it('is refused with every fault, by the names an operator knows', () => {
    const { libvirtDestination: _none, ...rest } = given;
    expect(
      libvirtSettings({ ...rest, libvirtUri: '', libvirtOptions: 'tls,fast', libvirtMigrateUri: 'exec:x' }),
    ).toMatchObject({
      error: {
        details: [
          { field: 'PORTOLAN_LIBVIRT_URI' },
          { field: 'PORTOLAN_LIBVIRT_DESTINATION', reason: 'is missing' },
          { field: 'PORTOLAN_LIBVIRT_MIGRATE_URI' },
          { field: 'PORTOLAN_LIBVIRT_OPTIONS', value: '"fast"' },
        ],
      },
    });
    for (const libvirtDestination of [
      'xen:///',
      'qemu+ext:///system?command=x',
      'qemu://{vm}/',
      'qemu://{host',
      '-c',
    ])
      expect(libvirtSettings({ ...given, libvirtDestination })).toMatchObject({ ok: false });
    for (const libvirtMigrateUri of ['unix:/x', 'tcp://{owner}', 'tcp://a/b', 'rdma://a'])
      expect(libvirtSettings({ ...given, libvirtMigrateUri })).toMatchObject({ ok: false });
  });

  it('lets no name into a URI that could mean more than a name', () => {
    const settings = unwrap(libvirtSettings({ ...given, libvirtMigrateUri: 'unix:///run/{vm}' }));
    for (const owner of ['../x', 'a b', '-x', ''])
      expect(migrateCommand(settings, { ...guest, owner }, SOUTH, null)).toBeNull();
  });
});
