import { type BridgePlan, type CtFilter, type Flow } from '#openflow';
import { KEEPS_STATE, ruleIndex } from '../../pipeline/cookies.js';
import { REG } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { zoneOfSlot } from './zones.js';

/**
 * Connections that no rule will ever speak for again: those in the zones of ports that go, or whose filter has no state
 * any more. Another port may get the zone. Those of a rule that goes while its list stays need not be forgotten, and
 * can't be told from others by a switch: their mark names nothing that stands, and they pass nowhere.
 */
export function connectionsLeft({ flows }: Pick<BridgePlan, 'flows'>): CtFilter[] {
  const changed = flows.change.flatMap(({ want, have }) => (isStateful(want) ? [] : [have]));
  return zonesOf([...flows.remove, ...changed]).map((zone) => ({ zone }));
}

/** Zones of the ports that these flows track connections for. */
export function zonesOf(flows: readonly Flow[]): number[] {
  const slots = flows.filter(isStateful).map(({ match }) => Number(match[REG.from]?.value ?? 0n));
  return slots.filter((slot) => slot > 0).map(zoneOfSlot);
}

const isStateful = ({ table, cookie }: Flow): boolean =>
  table === TABLES.FILTER_IN && ruleIndex(cookie) === KEEPS_STATE;
