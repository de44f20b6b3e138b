import { type SubField } from '#openflow';

/** What each register means while a frame is on its way. All are zero at the beginning. */
export const REG = {
  /** List of rules that holds for the port, by the lowest slot that it holds for. */
  rules: 'reg7',
  /** Key of the teaming order. */
  team: 'reg8',
  /** Uplink that a group chose. */
  chosen: 'reg9',
  /** Bit 0: the port looked up is active here. */
  active: 'reg10',
  /** Slot to look up in ACTIVITY. */
  lookup: 'reg11',
  /** VLAN, 0 for untagged. */
  segment: 'reg12',
  /** Uplink that the frame came from, 0 for a port. */
  uplink: 'reg13',
  /** Slot of the port that sent the frame, 0 for an uplink. */
  from: 'reg14',
  /** Slot of the port that gets the frame. */
  to: 'reg15',
} as const;

export const ACTIVE_BIT: SubField = { field: REG.active, offset: 0, bits: 1 };
export const LOOKUP_KEY: SubField = { field: REG.lookup, offset: 0, bits: 32 };
export const SEGMENT_VLAN: SubField = { field: REG.segment, offset: 0, bits: 12 };
export const FRAME_VLAN: SubField = { field: 'vlan_vid', offset: 0, bits: 12 };

/** Set in vlan_vid when a tag is present. */
export const TAG_PRESENT = 0x1000;
