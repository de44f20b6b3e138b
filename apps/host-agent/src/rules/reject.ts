import { handTo, readTold, sendAs } from '#compiler';
import { type Action } from '#openflow';
import { type HandedFrame } from '../packet-ins.js';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';
import { answerTo } from './answer.js';
import { Bindings } from './bindings.js';
import { readHead } from './frame.js';

export const rejects: MakeService = (host) => new RejectService(host);

/** Answers on their way to the switch: while it takes none, no more are made. */
const MOST_AT_ONCE = 64;

/**
 * Tells whoever sent a frame that a rule rejects it. The switch drops the frame by itself, whether or not the agent is
 * there, and hands over no more of them than a meter lets pass: what may be lost is the answer.
 */
class RejectService implements AgentService {
  #onTheirWay = 0;
  #fails = false;

  readonly #bindings: Bindings;

  constructor(private readonly host: ServiceHost) {
    this.#bindings = new Bindings(host);
  }

  readonly frames = {
    rejected: (handed: HandedFrame): void => {
      if (this.#onTheirWay < MOST_AT_ONCE) this.#answer(handed);
    },
  };

  #answer({ bridge, notice, metadata, frame }: HandedFrame): void {
    const told = readTold(metadata);
    const isIn = notice.rule?.direction === 'in';
    const binding = this.#bindings.at(bridge, isIn ? told.from : told.to);
    const answer = answerTo(frame);
    if (binding === undefined || answer === null) return;
    // The guest that sent it is told at its own port, as nobody's policy is asked there; whoever sent something to
    // the guest, as if by the guest: and only of what was for it, since a promiscuous one gets others' frames.
    if (isIn) return this.#send(bridge, handTo(binding, told), answer);
    const head = readHead(frame);
    if (head !== null && binding.speaks.macs.includes(head.dst))
      this.#send(bridge, sendAs(binding, told), answer);
  }

  #send(bridge: string, actions: readonly Action[], answer: Uint8Array): void {
    this.#onTheirWay += 1;
    this.host.driver
      .packetOut(bridge, actions, answer)
      .then(
        () => (this.#fails = false),
        (cause: unknown) => this.#failed(bridge, cause),
      )
      .finally(() => (this.#onTheirWay -= 1));
  }

  /** Said once until one succeeds: what is rejected may be a flood. */
  #failed(bridge: string, cause: unknown): void {
    if (!this.#fails)
      this.host.log.warn({ bridge, reason: String(cause) }, 'senders of rejected frames get no answer');
    this.#fails = true;
  }
}
