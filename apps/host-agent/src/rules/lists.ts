import { type PortId } from '#kernel';
import { type Compiled, type CompiledBinding } from '#compiler';

/** Rules of one list on one bridge, and the ports that it holds for. */
export interface List {
  readonly bridge: string;
  readonly ports: readonly PortId[];
  /** By the objects in the cookies of their flows. */
  readonly rules: ReadonlyMap<bigint, string>;
}

/** In a cookie: the rule's list and its place there. */
export const OBJECT = 0xff_ffffn;
const LIST = 0x3fffn;

/** Lists of all bindings that have rules, those of the most ports first. */
export function listsOf({ bindings }: Compiled): List[] {
  const lists = new Map<string, { first: CompiledBinding; ports: PortId[] }>();
  for (const binding of bindings) {
    const [rule] = binding.rules;
    if (rule === undefined || binding.role === 'retired') continue;
    const key = `${binding.bridge} ${rule.cookie & LIST}`;
    const list = lists.get(key);
    if (list === undefined) lists.set(key, { first: binding, ports: [binding.port] });
    else list.ports.push(binding.port);
  }
  return [...lists.values()]
    .map(({ first: { bridge, rules }, ports }) => ({
      bridge,
      ports,
      rules: new Map(rules.map(({ name, cookie }) => [cookie & OBJECT, name])),
    }))
    .sort((a, b) => b.ports.length - a.ports.length);
}

/** What was counted of a list's rules by name, whatever became of its number and its flows. */
export type Sums = Map<string, number>;

/**
 * Which sums are whose: a list that its ports had before goes on with the sums that the most of them had, whether it was
 * changed or only numbered anew. Who leaves it for another list begins anew. Rules that are gone are forgotten.
 */
export class Descent {
  #sums: ReadonlyMap<string, Sums> = new Map();

  /** The sums of these lists, each with its own. */
  follow(lists: readonly List[]): readonly Sums[] {
    const taken = new Set<Sums>();
    const now = new Map<string, Sums>();
    const all = lists.map(({ bridge, ports, rules }) => {
      const had = ports.map((port) => this.#sums.get(`${bridge} ${port}`)).find((s) => s && !taken.has(s));
      const sums: Sums = had ?? new Map<string, number>();
      taken.add(sums);
      const names = new Set(rules.values());
      for (const name of sums.keys()) if (!names.has(name)) sums.delete(name);
      for (const name of names) if (!sums.has(name)) sums.set(name, 0);
      for (const port of ports) now.set(`${bridge} ${port}`, sums);
      return sums;
    });
    this.#sums = now;
    return all;
  }
}
