import { type Epoch, type PortId } from '#kernel';

/**
 * A connection of a port that moves, as the host that it leaves tells the one that it goes to. Addresses as text, both
 * of one family; ports of TCP and UDP, `icmp` of ICMP's questions: no other protocol has more than addresses.
 */
export interface CarriedConnection {
  /** Who began it: `in` the port itself, `out` the other end. */
  readonly way: 'in' | 'out';
  readonly protocol: number;
  /** As whoever began it sends. */
  readonly src: string;
  readonly dst: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly icmp?: { readonly id: number; readonly type: number; readonly code: number };
  /** Of TCP: both ends have not spoken yet. */
  readonly opening?: true;
}

/** From host to host, past the log: what is lost of it, its connections wait for their next frame from who began them. */
export interface ConnectionsMessage {
  readonly schema: 1;
  readonly port: PortId;
  /** Of the standby that it is for. */
  readonly epoch: Epoch;
  readonly known: readonly CarriedConnection[];
  /** Told of before, and over by now. */
  readonly gone: readonly CarriedConnection[];
}

/** Connections in one message: about 60 kB. */
export const MOST_CONNECTIONS = 500;
