import { describe } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { guestObstacle } from '../../../deploy/setup/guest.js';
import { casesOf } from './outcomes.js';
import { QemuMove } from './qemu-move.js';
import { QEMU } from './qemu-outcomes.js';
import { QemuWorld } from './qemu-world.js';
import { FULL, playAll } from './scene.js';

const obstacle = guestObstacle() as string | undefined;
const withGuests = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

const SHORT = new Set(['vswitchd@source plugged', 'manager copying', 'agent@destination arrived']);

withGuests(`a guest of QEMU on its way, and somebody is killed${why}`, () => {
  const cases = casesOf(QEMU).filter(([victim, moment]) => FULL || SHORT.has(`${victim} ${moment}`));
  playAll(
    cases,
    () => QemuWorld.start(),
    (world, moment) => QemuMove.at(world, moment),
  );
});
