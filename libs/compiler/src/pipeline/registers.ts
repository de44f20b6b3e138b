import { type FieldName, type SubField } from '#openflow';

/**
 * What each register means while a frame is on its way. All are zero at the beginning. The metadata field is left free:
 * a service chain will want to carry its own number.
 */
export const REG = {
  /** Address sets, and sets of ports, that the source is in: a bit for each that is in use on the bridge. */
  setsSrc: 'reg0',
  setsSrcPorts: 'reg1',
  /** The same of the destination. */
  setsDst: 'reg2',
  setsDstPorts: 'reg3',
  /** See FLAG. */
  flags: 'reg4',
  /** See WIRE. */
  wire: 'reg5',
  /** What identifies the rule that allowed the frame: becomes its connection's mark. */
  ruleTag: 'reg6',
  /** List of rules that holds for the port, by the lowest slot that it holds for. */
  rules: 'reg7',
  /** Key of the teaming order. */
  team: 'reg8',
  /** Uplink that a group chose. */
  chosen: 'reg9',
  /** Bit 0: the port looked up is active here. Bits 1, 2: see LEASE. */
  active: 'reg10',
  /** Slot to look up in ACTIVITY. */
  lookup: 'reg11',
  /** VLAN, 0 for untagged; of a private VLAN the primary. */
  segment: 'reg12',
  /** Uplink that the frame came from, 0 for a port. */
  uplink: 'reg13',
  /** Slot of the port that sent the frame, 0 for an uplink. */
  from: 'reg14',
  /** Slot of the port that gets the frame. */
  to: 'reg15',
} as const satisfies Readonly<Record<string, FieldName>>;

export type RegisterName = keyof typeof REG;

const flag = (offset: number, bits = 1): SubField => ({ field: REG.flags, offset, bits });

/** Parts of the flags. */
export const FLAG = {
  /** An answer to what a rule that still stands allowed. */
  reply: flag(0),
  /** Speaks for a connection that came with its port from another host: it is entered, and goes nowhere. */
  adopted: flag(1),
  /** The source MAC was learned. */
  learned: flag(2),
  /** CHOSEN is to tell whether a learned MAC has moved. */
  asksMoved: flag(3),
  /** Whom FLOOD_IN is to reach of a multicast frame that came by an uplink, see MULTICAST_TO. */
  multicast: flag(4, 2),
  trafficClass: flag(8, 3),
  /** Priority in the tag that was taken off, or that a rule wants; goes into the tag that is put on. */
  cos: flag(12, 3),
  /** Which of the tiers that have rules an answer is asked of, from 0. */
  tier: flag(24, 2),
  /** What a rule wants marked. */
  dscp: flag(16, 6),
  /** Mirror that the copy is for, from 1. */
  mirror: flag(26, 6),
} as const;

const wire = (offset: number, bits: number): SubField => ({ field: REG.wire, offset, bits });

/** What a frame of a private VLAN is on the wire, and who in it sent it. */
export const WIRE = {
  tag: wire(0, 12),
  /** Secondary of the sender, 0 for a promiscuous one. */
  secondary: wire(12, 12),
  /** 0 promiscuous, 1 isolated, 2 community. */
  kind: wire(24, 2),
} as const;

export const ACTIVE_BIT: SubField = { field: REG.active, offset: 0, bits: 1 };
/** The host's lease stands; it is asked for. */
export const LEASED_BIT: SubField = { field: REG.active, offset: 1, bits: 1 };
export const ASKED_BIT: SubField = { field: REG.active, offset: 2, bits: 1 };
export const LOOKUP_KEY: SubField = { field: REG.lookup, offset: 0, bits: 32 };
export const SEGMENT_VLAN: SubField = { field: REG.segment, offset: 0, bits: 12 };
export const FRAME_VLAN: SubField = { field: 'vlan_vid', offset: 0, bits: 12 };
export const FRAME_COS: SubField = { field: 'vlan_pcp', offset: 0, bits: 3 };

/** Set in vlan_vid when a tag is present. */
export const TAG_PRESENT = 0x1000;
