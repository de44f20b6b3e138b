import { type Epoch, type Lineage, type Mac, type MigrationId, type PortId } from '#kernel';

/** One hand-over of a port: `epoch` is the one that its standby waits with. */
export interface Handover {
  readonly lineage: Lineage;
  readonly migration: MigrationId;
  readonly port: PortId;
  readonly epoch: Epoch;
}

/**
 * The secret destination address of the frame by which the new host turns the former one away: one of the group
 * addresses that are set apart for it, 44 of its bits unknown to whoever lacks the managers' key. The same hand-over gives the same address,
 * whichever manager is asked, so it need not be kept, and stands nowhere but in the documents of the two hosts.
 */
export type HandoverToken = (handover: Handover) => Mac;
