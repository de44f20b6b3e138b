import { type GroupAddress } from '#compiler';

/** What a guest or a router says of multicast groups. */
export type Message =
  /** Who listens (to the group, if one is named)? `from` 0: asked by no router, but by a switch that has no address. */
  | {
      readonly kind: 'query';
      readonly family: GroupAddress['family'];
      readonly from: bigint;
      readonly group: bigint | null;
    }
  | {
      readonly kind: 'report';
      readonly family: GroupAddress['family'];
      readonly joined: readonly bigint[];
      readonly left: readonly bigint[];
    };
