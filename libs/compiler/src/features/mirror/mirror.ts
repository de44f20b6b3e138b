import { type Emitter } from '../../pipeline/emitter.js';
import { type Feature } from '../../pipeline/feature.js';
import { match, output, tagSegment, TOKENS } from '../../pipeline/actions.js';
import { REG } from '../../pipeline/registers.js';
import { segmentMatches, tagMatches } from '../../pipeline/segments.js';
import { afterUplink, nextIn, nextOut } from '../../pipeline/stages.js';
import { TABLES } from '../../pipeline/tables.js';
import { ofUplink } from '../../resolve/mirrors.js';
import { type SteadyPlan, type PortPlan, type UplinkPlan } from '../../resolve/plan.js';
import { nativeOf } from '../../resolve/segments.js';
import { covers, ofAny, ofOne, type Source } from './sources.js';
import { ways } from './ways.js';

/**
 * Copies of frames for who looks on: of ports as they send (before policy) and get (behind it), of uplinks as on the
 * wire. A copy goes straight to where the mirror leads and through no other table, so that none is copied again.
 */
export const mirror: Feature = {
  name: 'mirror',
  bridge: (bridge, out) => {
    ways(bridge, out);
    for (const uplink of bridge.uplinks) {
      comes(uplink, bridge, out);
      leaves(uplink, bridge, out);
    }
    // What is in the VLAN of a mirror is of no port: neither what comes back from the wire nor what a guest sends.
    for (const vlan of new Set(bridge.mirrorVlans))
      out.flow(TABLES.FORWARD, 400, match({ [REG.segment]: vlan }), []);
  },
  port: (port, out) => {
    if (port.mirrors === undefined) return;
    if (port.mirrors.in.length > 0) sends(port, port.mirrors.in, out);
    if (port.mirrors.out.length > 0) gets(port, port.mirrors.out, out);
  },
};

type Copies = NonNullable<PortPlan['mirrors']>['in'];

const UNTAGGED = 0;

/** As the guest sends it, with its tag. */
function sends(port: PortPlan, mirrors: Copies, out: Emitter): void {
  const from = { [REG.from]: port.slot };
  const then = [nextIn(port, 'MIRROR_IN')];
  const source: Source = { table: TABLES.MIRROR_IN, mirrors, then, object: port.slot };
  const { vlan } = port.policy;
  if (vlan.mode !== 'trunk') {
    ofOne({ ...source, fields: from }, port.ranges[0]?.from ?? UNTAGGED, 100, out);
    return;
  }
  ofOne({ ...source, fields: { ...from, vlan_vid: UNTAGGED } }, nativeOf(vlan) ?? UNTAGGED, 300, out);
  ofAny({ ...source, fields: from }, (r) => tagMatches(r).map((vlan_vid) => ({ vlan_vid })), out);
}

/** As the guest gets it: on a trunk, the tag comes only after. */
function gets(port: PortPlan, mirrors: Copies, out: Emitter): void {
  const to = { [REG.to]: port.slot };
  const then = [nextOut(port, 'MIRROR_OUT')];
  const source: Source = { table: TABLES.MIRROR_OUT, mirrors, then, object: port.slot };
  const { vlan } = port.policy;
  if (vlan.mode !== 'trunk') {
    ofOne({ ...source, fields: to }, port.ranges[0]?.from ?? UNTAGGED, 100, out);
    return;
  }
  const native = nativeOf(vlan);
  if (native !== undefined) ofOne({ ...source, fields: { ...to, [REG.segment]: native } }, native, 300, out);
  ofAny({ ...source, fields: to, tag: tagSegment }, bySegment, out);
}

const bySegment = (ranges: Parameters<typeof segmentMatches>[0]) =>
  segmentMatches(ranges).map((segment) => ({ [REG.segment]: segment }));

/** Tokens of hand-overs are the switches' own. */
function unseen({ table, then, object }: Source, fields: Source['fields'], out: Emitter): void {
  out.flow(table, 500, match({ ...fields, eth_dst: TOKENS }), then, object);
}

/** From the wire; the tag was taken off. */
function comes(uplink: UplinkPlan, bridge: SteadyPlan, out: Emitter): void {
  const { name, key } = uplink;
  const mirrors = ofUplink(bridge, name, 'in');
  if (mirrors.length === 0) return;
  const fields = { [REG.from]: 0, [REG.uplink]: key };
  const source: Source = { table: TABLES.MIRROR_IN, mirrors, then: afterUplink(bridge, uplink), object: key };
  unseen(source, fields, out);
  ofOne({ ...source, fields: { ...fields, [REG.segment]: UNTAGGED } }, UNTAGGED, 300, out);
  ofAny({ ...source, fields, tag: tagSegment }, bySegment, out);
  for (const vlan of new Set(bridge.mirrorVlans)) {
    // Copies that come back by another uplink must not be copied to the wire again, nor to anybody who did not ask.
    const asked = mirrors.filter((m) => m.into === 'port' && m.ranges !== undefined && covers(m, vlan));
    const back = { ...source, mirrors: asked, tag: tagSegment };
    ofOne({ ...back, fields: { ...fields, [REG.segment]: vlan } }, vlan, 400, out);
  }
}

/** To the wire, tagged as it leaves. */
function leaves({ name, key, ofport }: UplinkPlan, bridge: SteadyPlan, out: Emitter): void {
  const mirrors = ofUplink(bridge, name, 'out');
  if (mirrors.length === 0 || bridge.teams.length === 0) return;
  const fields = { [REG.chosen]: key };
  const source: Source = { table: TABLES.UPLINK_OUT, mirrors, then: [output(ofport)], object: key };
  unseen(source, fields, out);
  ofOne({ ...source, fields: { ...fields, vlan_vid: UNTAGGED } }, UNTAGGED, 300, out);
  ofAny({ ...source, fields }, (r) => tagMatches(r).map((vlan_vid) => ({ vlan_vid })), out);
}
