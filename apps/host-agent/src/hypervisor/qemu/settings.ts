import { isAbsolute } from 'node:path';
import { detail, describe, err, ok, problem, type HostName, type ProblemDetail, type Result } from '#kernel';
import { type Arrival } from '#contracts';

/** How the QEMUs of a host are reached and moved. */
export interface QemuSettings {
  /** Directory of the monitors' sockets, `<vm-id>.qmp` each. */
  readonly monitors: string;
  /** Where a guest is sent to, with `{vm}`, `{host}` (the destination) and `{port}` to be filled in. */
  readonly migrateUri: string;
  /** How long a guest may stand still at the switch, ms. */
  readonly downtimeMs: number;
  /** For how long a destination that does not listen yet is tried, ms. */
  readonly patienceMs: number;
  /** Whether QEMU asks once more before it lets the guest run at the destination. */
  readonly pauses: boolean;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const SUFFIX = '.qmp';

/** The settings, or every fault in them, by the names that an operator knows. */
export function qemuSettings(given: {
  readonly qmpDir?: string;
  readonly qemuMigrateUri?: string;
  readonly qemuDowntimeMs: number;
  readonly qemuPatienceMs: number;
  readonly qemuPause: string;
}): Result<QemuSettings> {
  const { qmpDir, qemuMigrateUri } = given;
  const faults: ProblemDetail[] = [];
  const dir = 'an absolute path of the directory that holds <vm-id>.qmp for each QEMU';
  if (qmpDir === undefined) faults.push(detail('PORTOLAN_QMP_DIR', undefined, 'is missing', dir));
  else if (!isAbsolute(qmpDir)) faults.push(detail('PORTOLAN_QMP_DIR', qmpDir, 'is not absolute', dir));
  const uri = uriFault(qemuMigrateUri);
  if (uri !== null) faults.push(uri);
  if (faults.length > 0 || qmpDir === undefined || qemuMigrateUri === undefined)
    return err(
      problem(
        'invalid',
        `configuration, with PORTOLAN_HYPERVISOR=qemu: ${faults.map(describe).join(' | ')}`,
        faults,
      ),
    );
  return ok({
    monitors: qmpDir,
    migrateUri: qemuMigrateUri,
    downtimeMs: given.qemuDowntimeMs,
    patienceMs: given.qemuPatienceMs,
    pauses: given.qemuPause === 'yes',
  });
}

/** `exec:` would be a shell's command and `fd:` nothing that anybody listens to: only sockets are taken. */
function uriFault(uri: string | undefined): ProblemDetail | null {
  const expected = 'unix:/path/{vm}.migrate or tcp:{host}:{port}';
  const fault = (reason: string): ProblemDetail => detail('PORTOLAN_QEMU_MIGRATE_URI', uri, reason, expected);
  if (uri === undefined) return fault('is missing');
  if (!/^(unix:\/[^\s,]+|tcp:[^\s,:]+:(\d{1,5}|{port}))$/.test(uri))
    return fault('is no socket to migrate to');
  if (uri.replaceAll(/{(vm|host|port)}/g, '').search(/[{}]/) >= 0)
    return fault('has a place to fill in that is none of {vm}, {host} and {port}');
  return null;
}

/** As libvirt has them. Migrations at one time have numbers near to each other. */
const [FIRST_PORT, PORTS] = [49_152, 64];

/** Where this guest is sent to; null when a name has something in it that could mean more than a name. */
export function migrateUri(
  { migrateUri: uri }: QemuSettings,
  { owner, migration }: Pick<Arrival, 'owner' | 'migration'>,
  host: HostName,
): string | null {
  if (!NAME.test(owner)) return null;
  const port = FIRST_PORT + (Number(migration.slice(1)) % PORTS);
  return uri.replaceAll('{vm}', owner).replaceAll('{host}', host).replaceAll('{port}', `${port}`);
}

/** The guest whose monitor this file is; null for any other file. */
export function guestOf(file: string): string | null {
  const name = file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length) : '';
  return NAME.test(name) ? name : null;
}
