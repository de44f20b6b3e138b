import { LEASE } from '#domain/on-host';
import { type Action } from '#openflow';
import { goto, isolated, match, MULTICAST, resubmit, set, toAgent } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { ACTIVE_BIT, LEASED_BIT, LOOKUP_KEY, REG } from '../pipeline/registers.js';
import { segmentMatches } from '../pipeline/segments.js';
import { TABLES } from '../pipeline/tables.js';
import { type NoticeKind } from '../notice.js';
import { acceptsOthers, ownMacs, sourceMacs } from '../resolve/macs.js';
import { isPlugged, type PortPlan } from '../resolve/plan.js';

/** Bytes of the frame that the agent gets along with a notice: its headers. */
const NOTICE_FRAME = 64;
/** A learned row, and the compiled one that replaces it: one identity, so that neither can outlive the other. */
const KNOWN = 100;
/** The owner's default where a learned row may still come over it. */
const DEFAULT = 10;

/**
 * Who is active here. Ingress, delivery and the reverse path check all ask ACTIVITY, so one row turns them together.
 *
 * | life | compiled row | trigger |
 * | --- | --- | --- |
 * | owner | known: active | none |
 * | armed | default: active | frame with token and MAC from an uplink learns known: inactive |
 * | turned, closed, not plugged | known: inactive | none |
 * | waiting | none: inactive | first frame learns known: active, and sends the token |
 *
 * Where the port's group isolates, *active* is what LEASE says, and a standby is opened only while the lease stands: what
 * is learned then goes by itself, unless the agent lives and puts the compiled row there.
 */
export const activity: Feature = {
  name: 'activity',
  bridge: (_bridge, out) => {
    out.flow(TABLES.GATE_IN, 100, match({ [REG.active]: { value: 1, mask: 1 } }), [goto(TABLES.FILTER_IN)]);
    out.flow(TABLES.TRAP, 0, {}, [goto(TABLES.REVERSE)]);
    out.flow(TABLES.REVERSE, 0, {}, [goto(TABLES.FORWARD)]);
    out.flow(TABLES.REVERSE_GATE, 100, match({ [REG.active]: { value: 0, mask: 1 } }), [
      goto(TABLES.FORWARD),
    ]);
  },
  port: (port, out) => {
    row(port, out);
    reverse(port, out);
    if (port.life === 'waiting') trigger(port, out);
    if (port.life === 'armed') trap(port, out);
  },
  closed: row,
};

function row(port: PortPlan, out: Emitter): void {
  const { life, leased } = port;
  if (life === 'waiting' && leased !== true) return;
  const active = isPlugged(port) && (life === 'owner' || life === 'armed');
  const priority = life === 'armed' || life === 'waiting' ? DEFAULT : KNOWN;
  const actions =
    life === 'waiting'
      ? [resubmit(TABLES.LEASE)]
      : active && leased === true
        ? IF_LEASED
        : [set(REG.active, active ? 1 : 0)];
  out.flow(TABLES.ACTIVITY, priority, match({ [REG.lookup]: port.slot }), actions, port.slot);
}

const IF_LEASED: readonly Action[] = [
  resubmit(TABLES.LEASE),
  { kind: 'move', src: LEASED_BIT, dst: ACTIVE_BIT },
];
/** The lease stands, as ACTIVITY found out. */
const LEASED = { value: 1 << LEASED_BIT.offset, mask: 1 << LEASED_BIT.offset };

/**
 * A frame from an uplink that bears the MAC of a port active here is a forgery, or has come round a loop. But until
 * the centre took note that a standby opened, it may as well be one of the last that the guest sent at its former
 * host: those come late by that host's queues and the wire, and were let in before the guest came. Flooded frames
 * are checked all the same, or another uplink would bring back the guest's own announcements. A shared MAC is not
 * looked at: it may be another port's as well.
 */
function reverse(port: PortPlan, out: Emitter): void {
  const { slot, role, ranges } = port;
  const checked = role === 'standby' ? { eth_dst: MULTICAST } : {};
  const ask = [set(REG.lookup, slot), set(REG.active, 0), resubmit(TABLES.ACTIVITY)];
  for (const segment of segmentMatches(ranges))
    for (const eth_src of ownMacs(port)) {
      const fields = match({ [REG.segment]: segment, eth_src, ...checked });
      out.flow(TABLES.REVERSE, 100, fields, [...ask, goto(TABLES.REVERSE_GATE)], slot);
    }
}

function trigger(port: PortPlan, out: Emitter): void {
  const { slot, mac, token, policy } = port;
  if (token === undefined) return;
  // The trap wants the port's MAC; a guest that has others might open with one of them.
  const source = acceptsOthers(policy) || sourceMacs(port).length > 1 ? [set('eth_src', mac)] : [];
  const tell = isolated([set('eth_dst', token), ...source, resubmit(TABLES.TO_UPLINK)]);
  const actions = [learn(port, true, out), tell, notice(port, 'activated'), goto(TABLES.FILTER_IN)];
  const may = port.leased === true ? { [REG.active]: LEASED } : {};
  out.flow(TABLES.GATE_IN, 50, match({ [REG.from]: slot, ...may }), actions, slot);
}

/** Stands before the reverse path check: the frame bears the MAC of a port that is still active here. */
function trap(port: PortPlan, out: Emitter): void {
  const { slot, mac, token, ranges } = port;
  if (token === undefined) return;
  for (const segment of segmentMatches(ranges)) {
    const fields = match({ [REG.segment]: segment, eth_dst: token, eth_src: mac });
    out.flow(TABLES.TRAP, 200, fields, [learn(port, false, out), notice(port, 'turned')], slot);
  }
}

const learn = ({ slot, leased }: PortPlan, active: boolean, out: Emitter): Action => ({
  kind: 'learn',
  table: TABLES.ACTIVITY,
  priority: KNOWN,
  cookie: out.learnedCookie(slot),
  idleTimeout: 0,
  hardTimeout: active && leased === true ? LEASE.rowSeconds : 0,
  specs: [
    { kind: 'match-value', dst: LOOKUP_KEY, value: BigInt(slot) },
    { kind: 'load-value', dst: ACTIVE_BIT, value: active ? 1n : 0n },
  ],
});

const notice = ({ slot, epoch }: PortPlan, kind: NoticeKind): Action =>
  toAgent({ kind, slot, epoch }, { maxLen: NOTICE_FRAME });
