import { type Fact } from '#domain';
import { type Telemetry } from '#contracts';

type Uplink = Telemetry['uplinks'][number];
type UplinkState = Extract<Fact, { type: 'UplinkState' }>;

/**
 * Uplinks whose link is another than was told last; at first, every one. Admission of a migration asks whether the
 * destination has a live uplink, so the log must know.
 */
export function uplinkFacts(
  told: ReadonlyMap<string, boolean>,
  now: readonly Uplink[],
): readonly UplinkState[] {
  return now
    .filter((u) => told.get(uplinkKey(u)) !== u.up)
    .map((u) => ({ type: 'UplinkState', switch: u.switch, uplink: u.uplink, up: u.up }));
}

export const uplinkKey = (u: Pick<Uplink, 'switch' | 'uplink'>): string => `${u.switch}/${u.uplink}`;
