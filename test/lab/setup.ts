import { fileURLToPath } from 'node:url';

/** Setup runs before anything is built, so it is plain JavaScript, and in the source tree only. */
const setup = (file: string): Promise<unknown> =>
  import(fileURLToPath(new URL(`../../deploy/setup/${file}`, import.meta.url)).replace('/dist/', '/'));

/** `…Obstacle`: why it can't be had here; undefined if it can. */
export const { GUEST_MODULES, guestKernel, guestObstacle } = (await setup('guest.js')) as {
  readonly GUEST_MODULES: readonly string[];
  /** The directory with `vmlinuz` and the modules. */
  guestKernel(): string;
  guestObstacle(): string | undefined;
};
export const { libvirtObstacle } = (await setup('libvirt.js')) as { libvirtObstacle(): string | undefined };
export const { which } = (await setup('shell.js')) as { which(program: string): string };
