import Sequencer from '@jest/test-sequencer';

/**
 * What takes longest, the longest first: begun last, it would go on by itself when all others have ended. On a fresh
 * clone Jest knows of no run before, and would go by the sizes of the files.
 */
const LONGEST = [
  'test/simulator/simulator.spec.ts',
  'test/process/simulator.process-spec.ts',
  'test/chaos/chaos.chaos-spec.ts',
  'test/witness/witness.lab-spec.ts',
  'test/lab/host-loss.lab-spec.ts',
  'test/process/quickstart.process-spec.ts',
  'test/process/hostile.process-spec.ts',
  'test/lab/qemu-migration.lab-spec.ts',
  'test/process/hostile-host.process-spec.ts',
  'test/process/faults.process-spec.ts',
  'test/process/leases.process-spec.ts',
  'test/lab/spine.lab-spec.ts',
  'test/lab/spine-migration.lab-spec.ts',
  'test/lab/libvirt-migration.lab-spec.ts',
  'test/lab/spine-faults.lab-spec.ts',
  'test/lab/chaos/chaos.lab-spec.ts',
  'apps/host-agent/src/health/health.lab-spec.ts',
  'apps/host-agent/src/teaming/lag.lab-spec.ts',
];

const rank = ({ path }) => {
  const at = LONGEST.findIndex((name) => path.endsWith(`/${name}`));
  return at < 0 ? LONGEST.length : at;
};

export default class LongestFirst extends Sequencer {
  /** Those not named here as Jest has them. */
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
