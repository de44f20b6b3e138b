import { type Compiled, type CompiledBinding } from '#compiler';
import { type ServiceHost } from '../service.js';

/** Bindings by bridge and slot, as frames that the switch hands over name them. */
export class Bindings {
  #known: { readonly of: Compiled; readonly bySlot: ReadonlyMap<string, CompiledBinding> } | null = null;

  constructor(private readonly host: Pick<ServiceHost, 'compiled'>) {}

  at(bridge: string, slot: number): CompiledBinding | undefined {
    const compiled = this.host.compiled();
    if (compiled === null) return undefined;
    if (this.#known?.of !== compiled) {
      const bySlot = new Map(compiled.bindings.map((b) => [`${b.bridge} ${b.slot}`, b]));
      this.#known = { of: compiled, bySlot };
    }
    return this.#known.bySlot.get(`${bridge} ${slot}`);
  }
}
