import { type SubField } from '#openflow';
import { REG } from '../../pipeline/registers.js';

/** Zones are the host's, of all its bridges and of others' too, who begin at 0: a slot has the one this far above it. */
export const ZONE_BASE = 0x8000;

export const zoneOfSlot = (slot: number): number => ZONE_BASE | slot;
export const slotOfZone = (zone: number): number => zone & ~ZONE_BASE;

/** Where the zone stands between the lookup and the entry: nothing is looked up in ACTIVITY on that way. */
export const ZONE: SubField = { field: REG.lookup, offset: 0, bits: 16 };
export const CT_MARK: SubField = { field: 'ct_mark', offset: 0, bits: 32 };
