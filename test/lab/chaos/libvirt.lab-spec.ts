import { describe } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { libvirtObstacle } from '../../../deploy/setup/libvirt.js';
import { LibvirtMove } from './libvirt-move.js';
import { LIBVIRT } from './libvirt-outcomes.js';
import { LibvirtWorld } from './libvirt-world.js';
import { casesOf } from './outcomes.js';
import { FULL, playAll } from './scene.js';

const obstacle = FULL ? (libvirtObstacle() as string | undefined) : 'only all of them are played';
const withLibvirt = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

withLibvirt(`a guest of libvirt on its way, and somebody is killed${why}`, () => {
  playAll(
    casesOf(LIBVIRT),
    () => LibvirtWorld.start(),
    (world, moment) => LibvirtMove.at(world, moment),
  );
});
