import { SWITCH_MARK, type DataplaneState, type ObservedRows, type OvsdbChange } from '#openflow';

/** The version that the agent speaks. */
const OURS = 'OpenFlow15';

/** What makes bridges speak with us again that somebody forbade it, or gave a type of datapath that the host may not have. */
export function speechless(rows: ObservedRows, installed: DataplaneState | null): readonly OvsdbChange[] {
  const known = new Map((installed?.bridges ?? []).map((b) => [b.name, b]));
  return rows.bridges.flatMap((row): OvsdbChange[] => {
    const { protocols = [OURS], datapathType } = row.settings ?? {};
    if (protocols.includes(OURS) && datapathType === undefined) return [];
    const of = known.get(row.name)?.switch ?? row.externalIds[SWITCH_MARK];
    const mtu = known.get(row.name)?.mtu ?? row.mtu;
    if (of === undefined || mtu === undefined) return [];
    return [{ op: 'set-bridge', bridge: row.name, switch: of, mtu }];
  });
}
