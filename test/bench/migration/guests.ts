import { type Lab, type LabVm, numbered } from '../../lab/net.js';
import { type Guests } from './trial.js';

/** The guest moves to and fro between these. */
export const HOSTS = ['h1', 'h2'] as const;
/** Where its peer is. */
export const FAR = 'h3';

/** Both plugged and running: the one that moves at the first host. */
export async function guestsOf(
  lab: Lab,
  where: { readonly bridge: string; readonly profile?: string },
): Promise<Guests> {
  return {
    moving: await lab.addVm(HOSTS[0], { ...numbered(1), ...where }),
    peer: await lab.addVm(FAR, { ...numbered(2), ...where }),
  };
}

/** The host where it goes next. */
export const other = (vm: LabVm): string => (vm.pluggedAt[0]?.host.name === HOSTS[0] ? HOSTS[1] : HOSTS[0]);
