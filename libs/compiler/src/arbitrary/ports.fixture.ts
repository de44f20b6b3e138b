import fc from 'fast-check';
import { mac, TOKEN } from '../documents.fixture.js';
import { MAP } from '../scenario/private-vlan.fixture.js';
import { filter, range } from './rules.fixture.js';

export const vlan = fc.oneof(
  fc.constant({ mode: 'none' }),
  fc.record({ mode: fc.constant('access'), id: fc.integer({ min: 1, max: 8 }) }),
  fc.tuple(range(1, 4094), fc.integer({ min: 1, max: 12 }), fc.boolean()).map(([r, native, has]) => ({
    mode: 'trunk',
    ranges: [r],
    ...(has ? { native } : {}),
  })),
  fc.constantFrom(...MAP).map(({ primary, secondary }) => ({ mode: 'private', primary, secondary })),
);
const shaping = fc.option(
  fc.record({
    average: fc.integer({ min: 1000, max: 1e10 }),
    peak: fc.integer({ min: 1000, max: 1e10 }),
    burst: fc.integer({ min: 0, max: 1e6 }),
  }),
);
export const prefix = fc.constantFrom(
  ...['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '0.0.0.0', '::/0', '::', 'fe80::/10', 'fe80::1'],
);
const addresses = fc.option(
  fc.record({
    allow: fc.uniqueArray(prefix, { maxLength: 6 }),
    arp: fc.boolean(),
    nd: fc.boolean(),
    dhcp: fc.boolean(),
  }),
);
const someMacs = fc.uniqueArray(fc.constantFrom(...[1, 2, 50, 51].map(mac)), { maxLength: 3 });
const macs = fc.record({ extra: someMacs, shared: someMacs });
export const said = fc.option(
  fc.record({
    shares: fc.constant(50),
    limit: fc.constantFrom(null, 1e6, 1e10),
    reservation: fc.constant(0),
    class: fc.constantFrom('vm', 'storage'),
  }),
);
/** What a port may say of its own. */
const own = {
  vlan,
  filter,
  shapingIn: shaping,
  shapingOut: shaping,
  blocked: fc.boolean(),
  promiscuous: fc.boolean(),
  macChanges: fc.boolean(),
  forgedTransmits: fc.boolean(),
  addresses,
  macs,
  macLearning: fc.option(
    fc.record({
      limit: fc.constantFrom(1, 4096),
      atLimit: fc.constantFrom('drop', 'flood'),
      ageSeconds: fc.constant(300),
      floodUnknown: fc.boolean(),
    }),
  ),
  ipfix: fc.boolean(),
  bandwidth: said,
};
type Own = { readonly [K in keyof typeof own]?: (typeof own)[K] extends fc.Arbitrary<infer T> ? T : never };

const group = fc.constantFrom('one', 'two', 'port', 'ip-hash');

export interface Port {
  readonly override: Own;
  readonly role: 'active' | 'standby' | 'retired';
  readonly token: string | null;
  readonly group: string;
}

export const port: fc.Arbitrary<Port> = fc.record({
  override: fc.oneof(fc.constant({}), fc.record(own)),
  role: fc.constantFrom('active', 'active', 'standby', 'retired'),
  token: fc.constantFrom(null, TOKEN),
  group,
});

/** One through which frames pass: it says little of its own, and is rarely on its way. */
export const calmPort: fc.Arbitrary<Port> = fc.record({
  override: fc
    .subarray(Object.keys(own) as (keyof Own)[], { maxLength: 2 })
    .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, own[key]])) as object)),
  role: fc.constantFrom('active', 'active', 'active', 'active', 'active', 'standby', 'retired'),
  token: fc.constant(null),
  group,
});
