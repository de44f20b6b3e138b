/**
 * The tables a frame walks. Ingress from a port: 0 to 9; from an uplink: 0, 10 to 12; then 20 on for both. A `goto`
 * leads to a greater number only; ACTIVITY, FLOOD_IN, DELIVER and TO_UPLINK are also reached by resubmit.
 */
export const TABLES = {
  /** Which port or uplink; ports are counted here, before any policy. */
  CLASSIFY: 0,
  SHAPE_IN_PEAK: 1,
  SHAPE_IN_AVERAGE: 2,
  /** What no guest may send, and blocked ports. */
  GUARD_IN: 3,
  /** The VLAN policy makes the segment and takes the tag off. */
  SEGMENT: 4,
  /** Source MAC. */
  SECURITY: 5,
  /** Is the port active here? The standby's trigger. */
  GATE_IN: 6,
  /** Rows by lookup key: sets the active bit. The only table that the switch writes itself. */
  ACTIVITY: 7,
  /** Which list of rules holds for the port. */
  FILTER_IN: 8,
  /** The rules of each list, in order. */
  RULES_IN: 9,
  /** Frames from uplinks: the armed source's trap, before the reverse path check. */
  TRAP: 10,
  REVERSE: 11,
  REVERSE_GATE: 12,
  /** By (segment, MAC). */
  FORWARD: 20,
  /** Is the owner of the destination MAC active here? */
  RESIDENT: 21,
  /** Copies to promiscuous ports. */
  SNOOP: 22,
  /** Unicast for nobody here. */
  UNKNOWN: 23,
  /** Frames from the uplink that a teaming order is pinned to, to the ports of that order. */
  FLOOD_IN: 25,
  /** One copy of a flooded frame, to the port in the egress register. */
  DELIVER: 26,
  DELIVER_GATE: 27,
  GUARD_OUT: 30,
  FILTER_OUT: 31,
  RULES_OUT: 32,
  SHAPE_OUT_PEAK: 33,
  SHAPE_OUT_AVERAGE: 34,
  /** Count, tag, output. */
  OUTPUT: 35,
  /** Tag and ask the group which uplink carries the port. */
  TO_UPLINK: 40,
  /** An uplink was chosen by a group. */
  CHOSEN: 41,
} as const;

export type TableName = keyof typeof TABLES;

/** Names by number, for text forms and explanations. */
export const TABLE_NAMES: ReadonlyMap<number, TableName> = new Map(
  Object.entries(TABLES).map(([name, number]) => [number, name as TableName]),
);
