import { type Bucket } from '#openflow';
import { goto, match, resubmit, set, tagSegment, tagWire, untagToSegment } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG, TAG_PRESENT } from '../pipeline/registers.js';
import { afterUplink, nextUp } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { ofUplink } from '../resolve/mirrors.js';
import { TAGGED_KINDS } from './private-vlan.js';
import { type SteadyPlan, type TeamPlan, type UplinkPlan } from '../resolve/plan.js';

/**
 * Uplinks, and which of them carries a port. One group for each team answers both questions: where a port's frame goes
 * out, and (the bucket resubmits to CHOSEN) whether a frame came in by the uplink that the port is pinned to just now.
 * Uplinks that the other end takes for one link bring each frame once, by any of them, so there it only has to be one of
 * the team's. What came from an uplink never goes out by one: CHOSEN outputs frames of ports only.
 */
export const teaming: Feature = {
  name: 'teaming',
  bridge: (bridge, out) => {
    const mapped = bridge.privateVlans.length > 0;
    for (const uplink of bridge.uplinks) classify(uplink, bridge, out);
    for (const team of bridge.teams) carry(team, mapped, out);
    if (bridge.teams.length > 0) chosen(bridge, out);
  },
};

function classify(uplink: UplinkPlan, bridge: SteadyPlan, out: Emitter): void {
  const { name, key, ofport } = uplink;
  const isCopied = ofUplink(bridge, name, 'in').length > 0;
  const on = isCopied ? [goto(TABLES.MIRROR_IN)] : afterUplink(bridge, uplink);
  const next = [set(REG.uplink, key), ...on];
  const at = (vlan: number) => match({ in_port: ofport, vlan_vid: { value: vlan, mask: TAG_PRESENT } });
  out.flow(TABLES.CLASSIFY, 100, at(TAG_PRESENT), [...untagToSegment, ...next], key);
  out.flow(TABLES.CLASSIFY, 100, at(0), next, key);
}

/** A frame that lacks a field is spread by the others. */
const IP = ['ipv4_src', 'ipv4_dst', 'ipv6_src', 'ipv6_dst'] as const;
const HASHED = {
  ip: IP,
  l2: ['eth_src', 'eth_dst'],
  l3l4: [...IP, 'tcp_src', 'tcp_dst', 'udp_src', 'udp_dst'],
} as const;

function carry(team: TeamPlan, mapped: boolean, out: Emitter): void {
  const buckets = team.uplinks.map(({ key, ofport }): Bucket => ({
    watchPort: ofport,
    actions: [set(REG.chosen, key), resubmit(TABLES.CHOSEN)],
  }));
  if (team.kind === 'order') out.group({ id: team.id, type: 'fast-failover', buckets });
  else {
    const fields = HASHED[team.by ?? 'ip'];
    out.group({ id: team.id, type: 'select', buckets, selection: { method: 'hash', fields } });
  }
  const group = { kind: 'group', group: team.id } as const;
  const mine = { [REG.team]: team.id };
  out.flow(TABLES.TO_UPLINK, 200, match({ ...mine, [REG.segment]: 0 }), [group], team.id);
  out.flow(TABLES.TO_UPLINK, 100, match(mine), [...tagSegment, group], team.id);
  if (!mapped) return;
  for (const kind of TAGGED_KINDS) {
    const fields = match({ ...mine, [REG.wire]: kind });
    out.flow(TABLES.TO_UPLINK, 150, fields, [...tagWire, group], team.id);
  }
}

function chosen(bridge: SteadyPlan, out: Emitter): void {
  const { uplinks, teams } = bridge;
  for (const uplink of uplinks) {
    const { key } = uplink;
    const here = match({ [REG.from]: 0, [REG.chosen]: key, [REG.uplink]: key });
    out.flow(TABLES.CHOSEN, 200, here, [resubmit(TABLES.FLOOD_IN)], key);
    out.flow(TABLES.CHOSEN, 50, match({ [REG.chosen]: key }), [nextUp(bridge, uplink, 'CHOSEN')], key);
  }
  for (const team of teams) if (team.kind === 'hash') bundled(team, out);
  out.flow(TABLES.CHOSEN, 100, match({ [REG.from]: 0 }), []);
}

/** No group is asked: the other end chose. */
function bundled(team: TeamPlan, out: Emitter): void {
  for (const { key } of team.uplinks) {
    const one = match({ [REG.from]: 0, [REG.chosen]: 0, [REG.team]: team.id, [REG.uplink]: key });
    out.flow(TABLES.CHOSEN, 200, one, [resubmit(TABLES.FLOOD_IN)], team.id);
  }
}
