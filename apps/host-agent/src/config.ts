import { CommonConfig, EnvField, matching, oneOf, whole } from '#platform';

/** Configuration of a host agent. */
export class HostAgentConfig extends CommonConfig {
  @EnvField({
    env: 'PORTOLAN_HOST',
    expected: 'the host’s name: lower-case letters, digits and inner hyphens',
    accepts: matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  })
  host!: string;

  @EnvField({ env: 'PORTOLAN_STATE_DIR', expected: 'a directory of the agent’s own' })
  stateDir!: string;

  @EnvField({
    env: 'PORTOLAN_DRIVER',
    expected: 'openvswitch or simulated',
    accepts: oneOf('openvswitch', 'simulated'),
  })
  driver: string = 'openvswitch';

  @EnvField({ env: 'PORTOLAN_OVS_RUNDIR', expected: 'the directory with db.sock and the bridges’ sockets' })
  ovsRundir: string = '/var/run/openvswitch';

  @EnvField({
    env: 'PORTOLAN_OVS_DATAPATH',
    expected: 'system or netdev',
    accepts: oneOf('system', 'netdev'),
  })
  ovsDatapath: string = 'system';

  /** Where the switch's devices are, if that is not where the agent runs. */
  @EnvField({
    env: 'PORTOLAN_NETNS',
    expected: 'name of the network namespace that the pNICs are in, as ip netns lists it',
    accepts: matching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/),
    optional: true,
  })
  netns?: string;

  /** PEM file with the managers' public key; documents not signed with it are refused. */
  @EnvField({ env: 'PORTOLAN_DOCUMENT_KEY', expected: 'path of a PEM file with the managers’ public key' })
  documentKey!: string;

  /** Simulated driver only: guests, fabric and migration addresses. */
  @EnvField({
    env: 'PORTOLAN_SIMULATION',
    expected: 'path of a simulation file (YAML or JSON)',
    optional: true,
  })
  simulation?: string;

  /** What runs the guests here; `none`: whatever does is only watched, on the switch. */
  @EnvField({
    env: 'PORTOLAN_HYPERVISOR',
    expected: 'none, libvirt or qemu',
    accepts: oneOf('none', 'libvirt', 'qemu'),
  })
  hypervisor: string = 'none';

  /** QEMU only: the directory of the monitors' sockets. */
  @EnvField({
    env: 'PORTOLAN_QMP_DIR',
    expected: 'a directory with <vm-id>.qmp for each QEMU',
    optional: true,
  })
  qmpDir?: string;

  /** QEMU only: where a guest is sent to. */
  @EnvField({
    env: 'PORTOLAN_QEMU_MIGRATE_URI',
    expected: 'unix:/path/{vm}.migrate or tcp:{host}:4444',
    optional: true,
  })
  qemuMigrateUri?: string;

  @EnvField({ env: 'PORTOLAN_QEMU_DOWNTIME_MS', expected: '1 to 10000 ms', accepts: whole(1, 10_000) })
  qemuDowntimeMs: number = 100;

  /** QEMU only: for how long a destination that does not listen yet is tried. */
  @EnvField({ env: 'PORTOLAN_QEMU_PATIENCE_MS', expected: '0 to 300000 ms', accepts: whole(0, 300_000) })
  qemuPatienceMs: number = 30_000;

  /** libvirt only: as virsh takes it. */
  @EnvField({ env: 'PORTOLAN_LIBVIRT_URI', expected: 'the host’s own libvirt, e.g. qemu:///system' })
  libvirtUri: string = 'qemu:///system';

  /** libvirt only: a destination's, as the source's libvirtd reaches it. */
  @EnvField({
    env: 'PORTOLAN_LIBVIRT_DESTINATION',
    expected: 'a connection URI with {host}, e.g. qemu+tls://{host}/system',
    optional: true,
  })
  libvirtDestination?: string;

  /** libvirt only: where the guest's memory is sent to. */
  @EnvField({
    env: 'PORTOLAN_LIBVIRT_MIGRATE_URI',
    expected: 'tcp://{host}, tcp://{host}:49152 or unix:///path/{vm}.migrate',
    optional: true,
  })
  libvirtMigrateUri?: string;

  @EnvField({
    env: 'PORTOLAN_LIBVIRT_OPTIONS',
    expected:
      'post-copy, direct, tls, tunnelled, compressed, auto-converge, copy-storage; with commas between',
  })
  libvirtOptions: string = '';

  /** QEMU only: whether it asks the agent once more, while the guest stands still, before it switches. */
  @EnvField({ env: 'PORTOLAN_QEMU_PAUSE', expected: 'yes or no', accepts: oneOf('yes', 'no') })
  qemuPause: string = 'no';

  @EnvField({ env: 'PORTOLAN_TELEMETRY_MS', expected: '100 to 60000 ms', accepts: whole(100, 60_000) })
  telemetryMs: number = 1_000;

  @EnvField({ env: 'PORTOLAN_CHECKPOINT_MS', expected: '1000 to 600000 ms', accepts: whole(1_000, 600_000) })
  checkpointMs: number = 30_000;

  /** How often what a switch tells nobody is looked at. */
  @EnvField({ env: 'PORTOLAN_GLANCE_MS', expected: '200 to 600000 ms', accepts: whole(200, 600_000) })
  glanceMs: number = 5_000;

  /** Real switch only: how often everything on it is read anew, should it ever fail to tell. */
  @EnvField({ env: 'PORTOLAN_AUDIT_MS', expected: '200 to 3600000 ms', accepts: whole(200, 3_600_000) })
  auditMs: number = 60_000;
}
