import { type Port } from '#domain';
import { type RuleHits, type Telemetry } from '#contracts';
import { type LiveStore } from '../live/live-store.js';

type ByRule = Readonly<Record<string, number>>;

/** Lists by port: thousands of ports are asked for at once, and most telemetry never is. */
const indexes = new WeakMap<Telemetry, ReadonlyMap<string, RuleHits>>();

function indexOf(telemetry: Telemetry): ReadonlyMap<string, RuleHits> {
  let index = indexes.get(telemetry);
  if (index === undefined) {
    index = new Map(telemetry.rules?.flatMap((list) => list.ports.map((port) => [port, list])));
    indexes.set(telemetry, index);
  }
  return index;
}

/** Of the rules that the port has where it is active, with the ports there that have the same. */
function listOf({ id, active }: Port, live: LiveStore): RuleHits | undefined {
  const telemetry = (active === null ? undefined : live.host(active.host)?.telemetry) ?? null;
  return telemetry === null ? undefined : indexOf(telemetry).get(id);
}

export const ruleHits = (port: Port, live: LiveStore): ByRule => listOf(port, live)?.hits ?? {};

/** Of all these ports: what ports of one host have in common counts once. */
export function ruleHitsOfAll(ports: readonly Port[], live: LiveStore): ByRule {
  const lists = new Set(ports.map((port) => listOf(port, live)));
  const sums: Record<string, number> = {};
  for (const list of lists)
    for (const [rule, hits] of Object.entries(list?.hits ?? {})) sums[rule] = (sums[rule] ?? 0) + hits;
  return sums;
}
