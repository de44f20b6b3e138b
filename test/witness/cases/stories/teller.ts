import { type Arrival } from '../../model/world.js';
import { type Event } from '../events.js';

/** What a case is about, told step by step: frames that teach, then frames that are led. Those of a step are a round. */
export class Teller {
  readonly rounds: Arrival[][] = [];
  readonly events: Event[] = [];

  /** `first`: the number of the first round. */
  constructor(private readonly first: number) {}

  frames(...arrivals: Arrival[]): void {
    this.rounds.push(arrivals);
  }

  pass(ms: number): void {
    this.events.push({ before: this.next, passes: ms });
  }

  links(host: string, down: readonly string[]): void {
    this.events.push({ before: this.next, host, down });
  }

  private get next(): number {
    return this.first + this.rounds.length;
  }
}
