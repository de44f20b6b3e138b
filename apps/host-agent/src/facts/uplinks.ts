import { type Fact } from '#domain';
import { type Telemetry } from '#contracts';
import { type Desired } from '#compiler';
import { type ObservedInterface } from '#openflow';
import { isCarrying } from '../teaming/standing.js';

/** Of a device, where it tells: `speed` in bit/s, `mtu` in bytes. */
export interface Figures {
  readonly speed?: number;
  readonly mtu?: number;
}

/** Every uplink that the host maps, with whether it carries. */
export function uplinkStates(
  { host }: Pick<Desired, 'host'>,
  interfaces: readonly ObservedInterface[],
): Telemetry['uplinks'] {
  const up = new Map(interfaces.map((i) => [i.name, isCarrying(i)]));
  return host.switches.flatMap((s) =>
    Object.entries(s.uplinks).map(([uplink, device]) => ({
      switch: s.switch,
      uplink,
      device,
      up: up.get(device) === true,
    })),
  );
}

/** As it is seen. */
export type Uplink = Telemetry['uplinks'][number] & Figures;
export type Told = ReadonlyMap<string, Pick<Uplink, 'up' | 'speed' | 'mtu'>>;
type UplinkState = Extract<Fact, { type: 'UplinkState' }>;

export const figuresOf = (device: ObservedInterface | undefined): Figures =>
  known({ speed: device?.linkSpeed, mtu: device?.mtu });

/**
 * Uplinks of which something is another than was told last; at first, every one. Admission of a migration asks whether the
 * destination has a live uplink, room for what is reserved and the switch's MTU, so the log must know.
 */
export function uplinkFacts(told: Told, now: readonly Uplink[]): readonly UplinkState[] {
  return now
    .filter((u) => {
      const last = told.get(uplinkKey(u));
      const isOther = (figure: keyof Figures): boolean =>
        u[figure] !== undefined && last?.[figure] !== u[figure];
      return last?.up !== u.up || isOther('speed') || isOther('mtu');
    })
    .map(({ switch: of, uplink, up, speed, mtu }) => ({
      type: 'UplinkState',
      switch: of,
      uplink,
      up,
      ...known({ speed, mtu }),
    }));
}

/** A device that is down may tell nothing: what it told before holds. */
export const uplinksTold = (told: Told, now: readonly Uplink[]): Told =>
  new Map(
    now.map(({ up, speed, mtu, ...u }) => {
      const last = told.get(uplinkKey(u));
      return [uplinkKey(u), { up, ...known({ speed: speed ?? last?.speed, mtu: mtu ?? last?.mtu }) }];
    }),
  );

export const uplinkKey = (u: Pick<Uplink, 'switch' | 'uplink'>): string => `${u.switch}/${u.uplink}`;

function known({ speed, mtu }: { readonly [F in keyof Figures]: number | undefined }): Figures {
  return {
    ...(speed === undefined || speed <= 0 ? {} : { speed }),
    ...(mtu === undefined || mtu <= 0 ? {} : { mtu }),
  };
}
