import { type Fact } from '#domain';
import { type Telemetry } from '#contracts';

/** As it is seen; `speed` in bit/s, where the device tells. */
export type Uplink = Telemetry['uplinks'][number] & { readonly speed?: number };
export type Told = ReadonlyMap<string, Pick<Uplink, 'up' | 'speed'>>;
type UplinkState = Extract<Fact, { type: 'UplinkState' }>;

/**
 * Uplinks whose link or speed is another than was told last; at first, every one. Admission of a migration asks whether the
 * destination has a live uplink, and room for what is reserved, so the log must know.
 */
export function uplinkFacts(told: Told, now: readonly Uplink[]): readonly UplinkState[] {
  return now
    .filter((u) => {
      const last = told.get(uplinkKey(u));
      return last?.up !== u.up || (u.speed !== undefined && last.speed !== u.speed);
    })
    .map(({ switch: of, uplink, up, speed }) => ({
      type: 'UplinkState',
      switch: of,
      uplink,
      up,
      ...(speed === undefined ? {} : { speed }),
    }));
}

/** A device that is down may tell no speed: what it told before holds. */
export const uplinksTold = (told: Told, now: readonly Uplink[]): Told =>
  new Map(
    now.map((u) => {
      const speed = u.speed ?? told.get(uplinkKey(u))?.speed;
      return [uplinkKey(u), { up: u.up, ...(speed === undefined ? {} : { speed }) }];
    }),
  );

export const uplinkKey = (u: Pick<Uplink, 'switch' | 'uplink'>): string => `${u.switch}/${u.uplink}`;
