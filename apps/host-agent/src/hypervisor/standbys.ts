import { type Clock, type Lineage } from '#kernel';
import { type CompiledBinding } from '#compiler';
import { bindingKey, type BindingKey } from '../state/memory.js';
import { type MakeService } from '../service.js';

/** How long a standby that was not ready any more must be so again before that is told: twice as long each time, ms. */
const STEADY_MS = 500;
const LONGEST_MS = 30_000;

/**
 * Says of each standby whether a guest that came up now would find its port: its interface is seen, and its whole policy
 * stands in the switch and is effective. Until it is so the source's hypervisor is not to switch.
 */
export const standbys: MakeService = ({ record, clock }) => {
  let lineage: Lineage | null = null;
  /** Null: an earlier run may have told something else. */
  let known: Map<BindingKey, Readiness> | null = null;
  const forget = (): void => known?.forEach((one) => one.close());
  return {
    carriedOut: ({ bindings }, _have, { host }) => {
      // The log came back older: what it had been told may be lost.
      if (lineage !== host.lineage) {
        forget();
        known = null;
      }
      lineage = host.lineage;
      const now = new Map<BindingKey, Readiness>();
      for (const binding of bindings) {
        if (binding.role !== 'standby') continue;
        const { port, epoch } = binding;
        const key = bindingKey(port, epoch);
        const tell = (ready: boolean): void => record({ type: 'StandbyReady', port, epoch, ready });
        const one = known?.get(key) ?? new Readiness(clock, tell, known === null ? null : false);
        known?.delete(key);
        now.set(key, one);
        one.see(isReady(binding));
      }
      forget();
      known = now;
    },
    close: forget,
  };
};

const isReady = ({ ready, ofport }: CompiledBinding): boolean => ready && ofport !== undefined;

/**
 * What the log was told of one standby. That it is ready no more is told at once; what comes and goes is ready only once
 * it stays, ever longer: each word is a commit, and a document of the source.
 */
class Readiness {
  #losses = 0;
  #cancel: (() => void) | null = null;

  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly tell: (ready: boolean) => void,
    private told: boolean | null,
  ) {}

  see(ready: boolean): void {
    if (!ready) {
      if (this.told === true || this.#cancel !== null) this.#losses += 1;
      this.close();
      this.#say(false);
    } else if (this.#losses === 0) this.#say(true);
    else if (this.told !== true) this.#cancel ??= this.clock.after(this.#pause(), () => this.#isSteady());
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #isSteady(): void {
    this.#cancel = null;
    this.#say(true);
  }

  #pause(): number {
    return Math.min(LONGEST_MS, STEADY_MS * 2 ** (this.#losses - 1));
  }

  #say(ready: boolean): void {
    if (ready === this.told) return;
    this.told = ready;
    this.tell(ready);
  }
}
