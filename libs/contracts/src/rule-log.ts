import { type PortId } from '#kernel';

/** A frame that a rule took and was to log, as it came to the rule. */
export interface RuleLogLine {
  /** ms since the epoch, the host's clock. */
  readonly time: number;
  readonly switch: string;
  readonly port: PortId;
  readonly rule: string;
  /** Of the port: `in` is what it sent. */
  readonly direction: string;
  /** The rule's action. */
  readonly verdict: string;
  /** 0: untagged. */
  readonly vlan: number;
  readonly srcMac: string;
  readonly dstMac: string;
  readonly etherType: number;
  /** Absent: it is no IP packet, or none that can be read. */
  readonly ip?: RuleLogIp;
}

export interface RuleLogIp {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  /** Of TCP, UDP and SCTP, where the frame has them. */
  readonly srcPort?: number;
  readonly dstPort?: number;
}

/** What was logged since it was told last. */
export interface RuleLog {
  readonly lines: readonly RuleLogLine[];
  /** Lines that were too many to be told. */
  readonly more: number;
}

/** Lines that are told at once. */
export const MOST_LOG_LINES = 200;
