import { detail, describe, err, ok, problem, type HostName, type ProblemDetail, type Result } from '#kernel';

/** How the host's libvirt is reached, and how it sends guests away. */
export interface LibvirtSettings {
  readonly uri: string;
  /** Connection to a destination's libvirt, with `{host}` to be filled in. */
  readonly destination: string;
  /** Where the guest's memory goes, with `{vm}` and `{host}`; absent: libvirt chooses. */
  readonly migrateUri?: string;
  /** More of what `virsh migrate` takes. */
  readonly options: readonly Option[];
}

/** What may be asked of a migration, by the word for it: flags of `virsh migrate`. */
const OPTIONS = {
  // When the guest goes over is for `post-copy.ts` to say.
  'post-copy': ['--postcopy'],
  // Not libvirtd to libvirtd: virsh speaks to both.
  direct: [],
  tls: ['--tls'],
  tunnelled: ['--tunnelled'],
  compressed: ['--compressed'],
  'auto-converge': ['--auto-converge'],
  'copy-storage': ['--copy-storage-all'],
} as const;
type Option = keyof typeof OPTIONS;
const isOption = (word: string): word is Option => Object.hasOwn(OPTIONS, word);

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
// `qemu+ext` would be any command.
const CONNECTION = /^qemu(\+(unix|tls|tcp|ssh|libssh|libssh2))?:\/\/[^\s]*$/;
const MIGRATION = /^(unix:\/\/\/[^\s,]+|tcp:\/\/[^\s,/]+)$/;

/** The settings, or every fault in them, by the names that an operator knows. */
export function libvirtSettings(given: {
  readonly libvirtUri: string;
  readonly libvirtDestination?: string;
  readonly libvirtMigrateUri?: string;
  readonly libvirtOptions: string;
}): Result<LibvirtSettings> {
  const { libvirtUri: uri, libvirtDestination: destination, libvirtMigrateUri: migrateUri } = given;
  const words = given.libvirtOptions.split(',').filter((word) => word !== '');
  const strange = words.find((word) => !isOption(word));
  const faults = [
    fault('PORTOLAN_LIBVIRT_URI', uri, CONNECTION, [], 'qemu:///system'),
    fault('PORTOLAN_LIBVIRT_DESTINATION', destination, CONNECTION, ['host'], 'qemu+tls://{host}/system'),
    migrateUri === undefined
      ? null
      : fault('PORTOLAN_LIBVIRT_MIGRATE_URI', migrateUri, MIGRATION, ['vm', 'host'], 'tcp://{host}'),
    strange === undefined
      ? null
      : detail('PORTOLAN_LIBVIRT_OPTIONS', strange, 'is no option', Object.keys(OPTIONS).join(', ')),
  ].filter((f) => f !== null);
  if (faults.length > 0 || destination === undefined)
    return err(
      problem(
        'invalid',
        `configuration, with PORTOLAN_HYPERVISOR=libvirt: ${faults.map(describe).join(' | ')}`,
        faults,
      ),
    );
  const more = migrateUri === undefined ? {} : { migrateUri };
  return ok({ uri, destination, ...more, options: words.filter(isOption) });
}

function fault(
  field: string,
  value: string | undefined,
  form: RegExp,
  places: readonly string[],
  example: string,
): ProblemDetail | null {
  if (value === undefined) return detail(field, value, 'is missing', example);
  if (!form.test(value)) return detail(field, value, 'is no such URI', example);
  const strange = [...value.matchAll(/\{([^}]*)\}|[{}]/g)].find(([, place]) => !places.includes(place ?? ''));
  return strange === undefined ? null : detail(field, value, `can't be filled in at ${strange[0]}`, example);
}

/** What `virsh migrate` is told; `speed` in MiB/s. Null: a name has something in it that could mean more than a name. */
export function migrateCommand(
  { destination, migrateUri, options }: LibvirtSettings,
  guest: { readonly uuid: string; readonly owner: string; readonly isPersistent: boolean },
  host: HostName,
  speed: number | null,
): readonly string[] | null {
  if (!NAME.test(guest.owner)) return null;
  const fill = (uri: string): string => uri.replaceAll('{vm}', guest.owner).replaceAll('{host}', host);
  return [
    'migrate',
    '--live',
    ...(options.includes('direct') ? [] : ['--p2p']),
    // What is defined on disk goes along, as a guest that is registered with its host.
    ...(guest.isPersistent ? ['--persistent', '--undefinesource'] : []),
    ...options.flatMap((option) => OPTIONS[option]),
    ...(speed === null ? [] : ['--bandwidth', String(speed)]),
    ...(migrateUri === undefined ? [] : ['--migrateuri', fill(migrateUri)]),
    '--domain',
    guest.uuid,
    '--desturi',
    fill(destination),
  ];
}
