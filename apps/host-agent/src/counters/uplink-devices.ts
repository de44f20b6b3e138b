import { type DeviceCounts } from '#contracts';
import { type ObservedInterface, type PortStats } from '#openflow';
import { whole } from './lost.js';

/** What the devices counted that the agent plugged into a bridge as uplinks. */
export const uplinkDevices = (
  of: string,
  interfaces: readonly ObservedInterface[],
  stats: ReadonlyMap<number, PortStats>,
  refused: ReadonlyMap<number, number>,
  time: number,
): readonly DeviceCounts[] =>
  interfaces.flatMap(({ name, marks, ofport = 0 }) => {
    const at = stats.get(ofport);
    return marks['portolan-uplink'] === undefined || at === undefined
      ? []
      : [counts(of, name, at, refused.get(ofport) ?? 0, time)];
  });

const counts = (of: string, device: string, at: PortStats, refused: number, time: number): DeviceCounts => ({
  switch: of,
  device,
  time,
  in: { packets: whole(at.rxPackets), bytes: whole(at.rxBytes) },
  out: { packets: whole(at.txPackets), bytes: whole(at.txBytes) },
  dropped: { in: whole(at.rxDropped), out: whole(at.txDropped) },
  refused,
  errors: { in: whole(at.rxErrors), out: whole(at.txErrors) },
});
