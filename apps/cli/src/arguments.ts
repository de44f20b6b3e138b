import { InvalidArgumentError } from 'commander';

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const n = Number(text);
    if (!/^[0-9]+$/.test(text) || n < min || n > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return n;
  };
}

/** `--wait`, `--wait=5`, `--wait=0.5`; the bare flag comes as true. */
export const secondsUpTo =
  (most: number) =>
  (text: string): number => {
    const n = Number(text);
    if (!/^[0-9]+(\.[0-9]+)?$/.test(text) || n <= 0 || n > most) {
      throw new InvalidArgumentError(`Expected seconds, more than 0 and at most ${most}.`);
    }
    return n;
  };
export const seconds = secondsUpTo(600);

export const DEFAULT_WAIT_S = 30;
/** The `wait` query of a write: absent when not asked for. */
export const waitSeconds = (wait: number | true | undefined): number | undefined =>
  wait === true ? DEFAULT_WAIT_S : wait;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m` before now, or a time as it is: the server says what is wrong with it. */
export function sinceTime(text: string, now: number): string {
  const parts = /^([0-9]{1,6})([smhd])$/.exec(text);
  if (parts === null) return text;
  return new Date(now - Number(parts[1]) * (UNIT_MS[parts[2] ?? ''] ?? 0)).toISOString();
}

export type Kind = 'hosts' | 'switches' | 'groups' | 'ports' | 'sets' | 'migrations' | 'evacuations';

const KINDS: Readonly<Record<string, Kind>> = {
  host: 'hosts',
  hosts: 'hosts',
  switch: 'switches',
  switches: 'switches',
  sw: 'switches',
  distributedswitch: 'switches',
  standardswitch: 'switches',
  group: 'groups',
  groups: 'groups',
  pg: 'groups',
  portgroup: 'groups',
  portgroups: 'groups',
  port: 'ports',
  ports: 'ports',
  set: 'sets',
  sets: 'sets',
  addressset: 'sets',
  addresssets: 'sets',
  portset: 'sets',
  portsets: 'sets',
  migration: 'migrations',
  migrations: 'migrations',
  evacuation: 'evacuations',
  evacuations: 'evacuations',
};

export function kind(text: string): Kind {
  const found = Object.hasOwn(KINDS, text.toLowerCase()) ? KINDS[text.toLowerCase()] : undefined;
  if (found === undefined) {
    throw new InvalidArgumentError('Expected host, switch, group, port, set, migration or evacuation.');
  }
  return found;
}
