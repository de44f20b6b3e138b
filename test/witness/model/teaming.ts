import { type Teaming } from '#domain';

/** By what a port is reached from outside: the first live of an order, or any live of a link of several. */
export type Carrier =
  | { readonly kind: 'one'; readonly device: string | undefined }
  | { readonly kind: 'any'; readonly devices: readonly string[] };

export interface Place {
  readonly n: number;
  readonly mac: string;
}

/** `devices`: of the uplinks that the host has; `isLive` says which of them have a link. */
export function carrierOf(
  { mode, active, standby }: Teaming,
  port: Place,
  devices: Readonly<Record<string, string>>,
  isLive: (device: string) => boolean,
): Carrier {
  const live = (names: readonly string[]): string[] =>
    names.flatMap((name) => devices[name] ?? []).filter(isLive);
  if (mode === 'ip-hash') return { kind: 'any', devices: live(active) };
  const start = active.length === 0 ? 0 : placeOf(mode, port) % active.length;
  const order = [...active.slice(start), ...active.slice(0, start), ...standby];
  return { kind: 'one', device: live(order)[0] };
}

/** Whether a teaming names no uplink that the host has. */
export const hasNone = ({ active, standby }: Teaming, devices: Readonly<Record<string, string>>): boolean =>
  [...active, ...standby].every((name) => devices[name] === undefined);

/** Ports are numbered from 1. */
function placeOf(mode: Teaming['mode'], { n, mac }: Place): number {
  if (mode === 'port') return n - 1;
  return mode === 'mac' ? fnv1a(mac) : 0;
}

/** 32 bits, of the MAC as it is written. */
function fnv1a(text: string): number {
  let hash = 2166136261n;
  for (const character of text) hash = ((hash ^ BigInt(character.charCodeAt(0))) * 16777619n) & 0xffffffffn;
  return Number(hash);
}
