import { LEASE } from '#domain/on-host';
import { LEARNED_OWNER, MEANING_MASK, type Action, type FlowStats, type SubField } from '#openflow';
import { lookup, match, output, resubmit, set } from '../pipeline/actions.js';
import { cookieOf } from '../pipeline/cookies.js';
import { type Feature } from '../pipeline/feature.js';
import { ASKED_BIT, LEASED_BIT, LOOKUP_KEY, REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { type CompiledBinding, type Uplink } from '../types.js';

/** No slot: only the agent's own frames look for it. */
const ASKED = 0xffff_ffff;
/** Objects in the cookies of the two rows. */
const ROW_ASKED = 1;
const ROW_STANDS = 2;

/**
 * The switch closes what isolates by itself. LEASE holds at most two rows, both learned and both with a hard time-out:
 * that the lease stands, and that it is asked for. What is learned again just lasts longer: no flow changes, so that no
 * cached decision is looked at again. `domain/host/lease.ts` has the reckoning.
 */
export const lease: Feature = {
  name: 'lease',
  bridge: ({ ports, uplinks }, out) => {
    if (!ports.some(({ leased }) => leased === true)) return;
    const asked = { value: 1n << BigInt(ASKED_BIT.offset), mask: 1n << BigInt(ASKED_BIT.offset) };
    const renew = row(ROW_STANDS, LEASED_BIT, LEASE.rowSeconds, out.learnedCookie(ROW_STANDS));
    out.flow(TABLES.RENEW, 100, match({ [REG.active]: asked }), [renew]);
    for (const { key, ofport } of uplinks) {
      const active = match({ [REG.active]: { value: 1, mask: 1 }, [REG.chosen]: key });
      out.flow(TABLES.ANNOUNCE, 100, active, [output(ofport)], key);
    }
  },
};

/** With a frame of the agent's own: puts down that the lease is asked for. */
export const askLease = (): Action[] => [row(ROW_ASKED, ASKED_BIT, LEASE.askedSeconds, cookie(ROW_ASKED))];

/** Likewise: the lease stands from now on, if what was asked does. */
export const renewLease: readonly Action[] = [
  set(REG.lookup, ASKED),
  set(REG.active, 0),
  resubmit(TABLES.LEASE),
  resubmit(TABLES.RENEW),
];

/** How a frame of the agent's leaves by an uplink for a port of a group that isolates: not while it is closed. */
export const announceBy = (
  { slot }: Pick<CompiledBinding, 'slot'>,
  { key }: Pick<Uplink, 'key'>,
): Action[] => [...lookup(slot), set(REG.chosen, key), resubmit(TABLES.ANNOUNCE)];

/** What to ask the switch for to know whether the lease stands there. */
export const LEASE_ROW = { cookie: cookie(ROW_STANDS), mask: MEANING_MASK } as const;
export const leaseStands = (rows: readonly FlowStats[]): boolean =>
  rows.some(({ flow }) => flow.table === TABLES.LEASE);

function cookie(object: number): bigint {
  return cookieOf('lease', object, 0, LEARNED_OWNER);
}

function row(object: number, says: SubField, hardTimeout: number, of: bigint): Action {
  const asked = { kind: 'match-value', dst: LOOKUP_KEY, value: BigInt(ASKED) } as const;
  return {
    kind: 'learn',
    table: TABLES.LEASE,
    priority: object === ROW_ASKED ? 2 : 1,
    cookie: of,
    idleTimeout: 0,
    hardTimeout,
    specs: [...(object === ROW_ASKED ? [asked] : []), { kind: 'load-value', dst: says, value: 1n }],
  };
}
