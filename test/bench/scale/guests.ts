import { hostName, ownerOf, RACK } from './plan.js';
import { type Move } from './steps-moves.js';
import { type ScaleWorld } from './world.js';

/** The first guests of a host are in the groups that other figures are about. */
const FIRST = 2;

/** Guests that move more than once, each from where it is to the next host of its rack, one move of it at a time. */
export class Wanderers {
  readonly #at = new Map<string, number>();
  readonly #idle: string[] = [];

  constructor(private readonly world: ScaleWorld) {
    const each = Math.floor(world.size.ports / world.size.hosts) - FIRST;
    for (let i = 0; i < each; i++)
      for (let number = 0; number < world.up; number++) {
        this.#at.set(ownerOf(number, FIRST + i), number);
        this.#idle.push(ownerOf(number, FIRST + i));
      }
  }

  get all(): readonly string[] {
    return [...this.#at.keys()];
  }

  /** The next move of the guest that stood for longest. */
  next(): Move {
    const owner = this.#idle.shift();
    const number = owner === undefined ? undefined : this.#at.get(owner);
    if (owner === undefined || number === undefined) throw new Error('every guest is on its way');
    const rack = Math.floor(number / RACK) * RACK;
    const to = rack + ((number - rack + 1) % Math.min(RACK, this.world.up - rack));
    this.#at.set(owner, to);
    return { owner, destination: hostName(to) };
  }

  arrived({ owner }: Move): void {
    this.#idle.push(owner);
  }
}
