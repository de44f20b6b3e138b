import { Leases } from '../../../apps/switch-manager/src/leases/leases.js';
import { type Bugs } from '../story/world.js';

/** Stories in which hosts are lost all the time. */
export const LOST = { isolating: 1, lostHosts: 0.7 } as const;

/** Whoever is not heard of has closed its ports. */
export const tooSoon = (): Bugs => ({
  ...LOST,
  plant: () => {
    const { left } = Leases.prototype;
    Leases.prototype.left = () => 0;
    return () => void (Leases.prototype.left = left);
  },
});

/** Who gets no answer takes that for one. */
export const grantedBySilence = (): Bugs => ({
  ...LOST,
  leaseAnswer: () => ({ schema: 1, granted: true }),
});
