import { type Flow } from '#openflow';
import { MARK } from './conformance.fixture.js';

export const ZONE = 5;
const ip = { eth_type: { value: 0x0800n } } as const;
const tell = { kind: 'controller', maxLen: 128, userdata: new Uint8Array([1]) } as const;

/** Tells of every IP packet what conntrack says, and commits what is new. */
export const pipeline: readonly Flow[] = [
  {
    table: 0,
    priority: 10,
    match: ip,
    actions: [{ kind: 'ct', zone: ZONE, table: 1 }],
    cookie: 1n,
  },
  {
    table: 1,
    priority: 10,
    match: { ...ip, ct_state: { value: 1n, mask: 1n } },
    actions: [
      tell,
      {
        kind: 'ct',
        zone: ZONE,
        commit: true,
        exec: [{ kind: 'set-field', field: 'ct_mark', value: MARK }],
      },
    ],
    cookie: 1n,
  },
  { table: 1, priority: 0, match: {}, actions: [tell], cookie: 1n },
];
