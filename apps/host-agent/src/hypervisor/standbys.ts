import { type Lineage } from '#kernel';
import { type CompiledBinding } from '#compiler';
import { bindingKey, type BindingKey } from '../state/memory.js';
import { type MakeService } from '../service.js';

/**
 * Says of each standby whether a guest that came up now would find its port: its interface is seen, and its whole policy
 * stands in the switch and is effective. Until it is so the source's hypervisor is not to switch.
 */
export const standbys: MakeService = ({ record }) => {
  let lineage: Lineage | null = null;
  /** As told; null: an earlier run may have told something else. */
  let told: ReadonlyMap<BindingKey, boolean> | null = null;
  return {
    carriedOut: ({ bindings }, _have, { host }) => {
      // The log came back older: what it had been told may be lost.
      if (lineage !== host.lineage) told = null;
      lineage = host.lineage;
      const now = new Map<BindingKey, boolean>();
      for (const binding of bindings) {
        if (binding.role !== 'standby') continue;
        const { port, epoch } = binding;
        const key = bindingKey(port, epoch);
        const [ready, before] = [isReady(binding), told === null ? null : (told.get(key) ?? false)];
        now.set(key, ready);
        if (ready !== before) record({ type: 'StandbyReady', port, epoch, ready });
      }
      told = now;
    },
  };
};

const isReady = ({ ready, ofport }: CompiledBinding): boolean => ready && ofport !== undefined;
