/**
 * What hosts say to themselves, out of one uplink and in by another, and what no guest gets: a multicast address of the
 * locally administered range, and the type of frames that is left to local experiments.
 */
export const BEACON = { destination: 0x0350_4f52_544cn, type: 0x88b5 } as const;
