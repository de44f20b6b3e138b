import { type Teaming } from '#domain';

/** By what a port is reached from outside: the first live of an order, or any live of a link of several. */
export type Carrier =
  | { readonly kind: 'one'; readonly device: string | undefined }
  | { readonly kind: 'any'; readonly devices: readonly string[] };

export interface Place {
  readonly n: number;
  readonly mac: string;
}

/**
 * `devices`: of the uplinks that the host has; `isLive` says which of them have a link, `late` which went down since, the
 * longest ago first.
 */
export function carrierOf(
  { mode, active, standby, failback }: Teaming,
  port: Place,
  devices: Readonly<Record<string, string>>,
  isLive: (device: string) => boolean,
  late: readonly string[],
): Carrier {
  const live = (names: readonly string[]): string[] =>
    names.flatMap((name) => devices[name] ?? []).filter(isLive);
  if (mode === 'ip-hash') return { kind: 'any', devices: live(active) };
  const start = active.length === 0 ? 0 : placeOf(mode, port) % active.length;
  const order = [...active.slice(start), ...active.slice(0, start), ...standby];
  const back = failback ? [] : late.filter((name) => order.includes(name));
  return { kind: 'one', device: live([...order.filter((name) => !back.includes(name)), ...back])[0] };
}

/** Whether a teaming names no uplink that the host has. */
export const hasNone = ({ active, standby }: Teaming, devices: Readonly<Record<string, string>>): boolean =>
  [...active, ...standby].every((name) => devices[name] === undefined);

/** Ports are numbered from 1. */
function placeOf(mode: Teaming['mode'], { n, mac }: Place): number {
  if (mode === 'port' || mode === 'load') return n - 1;
  return mode === 'mac' ? fnv1a(mac) : 0;
}

/** 32 bits, of the MAC as it is written. */
function fnv1a(text: string): number {
  let hash = 2166136261n;
  for (const character of text) hash = ((hash ^ BigInt(character.charCodeAt(0))) * 16777619n) & 0xffffffffn;
  return Number(hash);
}
