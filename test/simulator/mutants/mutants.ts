import { type Fact } from '#domain';
import { type Bugs } from '../story/world.js';
import { anyMove, beyondWindow, earlierTimer, noFence, notCalledBack, rolledBack } from './rules.js';
import { grantedBySilence, LOST, tooSoon } from './leases.js';
import { anyBroadcast, doubled, markGaps, noteForgets, opened, recentForgotten, unarmed } from './edges.js';

/** A fault to plant, and what the simulator must say of it. */
export interface Mutant {
  /** Made anew for each story: some remember. */
  readonly plant: () => Bugs;
  readonly finding: RegExp;
}

const AT_ODDS =
  /still retires|is switched|not exact|its port at|facts that the log has not|nobody counts|is not counted/;

const TWO_FORWARDERS = /lets frames of .* through at epoch/;

/**
 * Faults planted at the edges of the production code, each of a kind that once was, or might be. The simulator must
 * find every one of them, by the seed named in `seeds.ts`: else it proves nothing.
 */
export const MUTANTS = {
  /** What a host says of a binding counts, whatever the epoch. */
  'no fence': {
    plant: () => ({ rules: noFence }),
    finding: /which nobody holds|counts twice|its port at|counted too much/,
  },
  /** The server takes an append whatever stands last. */
  'stale leader appends': {
    plant: () => ({ carelessLog: true }),
    finding: /the log can't be read/,
  },
  /** The final value of a segment counts what came in twice. */
  'double count': {
    plant: () => ({
      fact: (fact: Fact) => [fact.type === 'SegmentClosed' ? { ...fact, raw: doubled(fact.raw) } : fact],
    }),
    finding: /counted too much/,
  },
  /** A standby is opened as soon as it is prepared. */
  'early activation': {
    plant: () => ({ view: opened }),
    finding: /hands frames to the tap of .*, which is at/,
  },
  /** A final value is sometimes never told. */
  'lost close': {
    plant: () => {
      let closes = 0;
      return {
        fact: (fact: Fact) => (fact.type === 'SegmentClosed' && (closes += 1) % 3 === 0 ? [] : [fact]),
      };
    },
    finding: /still retires|is switched/,
  },
  /** Realised is reported when the flows stand, before frames follow them. */
  'ack before effective': {
    plant: () => ({ skipsEffective: true }),
    finding: /though it is blocked|different VLANs/,
  },
  /** An agent takes any mark for the one after the last: documents that were lost are not missed. */
  'forgotten mark gap': {
    plant: markGaps,
    finding: /claims \d+, but its .* was never so since/,
  },
  /** A mark says that nothing was written in those that were missed. */
  'recent writes forgotten': {
    plant: recentForgotten,
    finding: /claims \d+, but its .* was never so since/,
  },
  /** A note says nothing of what was written since its mark. */
  'note that forgets': {
    plant: noteForgets,
    finding: /claims \d+, but its .* was never so since/,
  },
  /** Who asks again after the server's window is answered by another deed. */
  'command done twice after the dedupe window': {
    plant: () => ({ commandId: beyondWindow }),
    finding: /was done at \d+ and again at|was acknowledged at .* asked again/,
  },
  /** Asked again, a command comes under another id. */
  'command done twice': {
    plant: () => ({ newIdEachTry: true }),
    finding: /was done at \d+ and again at/,
  },
  /** The time of a phase runs from when the migration began. */
  'timer of an earlier episode': {
    plant: () => ({ rules: earlierTimer }),
    finding: /timed out in/,
  },
  /** An abort takes the binding back to the epoch that it had. */
  'undo that rolls back a fact': {
    plant: () => ({ rules: rolledBack, comesBack: 6 }),
    finding: /epoch|fell|fit/,
  },
  /** Batches of facts may overtake each other, and say nothing of what stands before them. */
  'facts overtake': {
    plant: () => ({ factsOvertake: true, loss: 0.1 }),
    finding: AT_ODDS,
  },
  /** The trap of a source is turned by any broadcast in the guest's name, such as a forged RARP. */
  'RARP without token': {
    plant: () => ({ view: anyBroadcast, forging: 1 }),
    finding: /a forged frame turned a port/,
  },
  /** The source is told to be ready before it has armed its trap. */
  'trap not armed': {
    plant: () => ({ view: unarmed }),
    finding: /the token of it turned nothing/,
  },
  /** The source has the guest again, and the destination keeps the port. */
  'abort after activation not undone': {
    plant: () => ({ rules: notCalledBack, comesBack: 6 }),
    finding: /was given up, and .* is still at/,
  },
  /** What a hypervisor said late, or twice, of an earlier move decides the one that runs. */
  'word of an earlier move': {
    plant: () => ({ rules: anyMove, words: { late: 0.5, twice: 0.7, lost: 0 } }),
    finding: /was not there since it began/,
  },
  /** An agent that comes back gives its orders once more, and nobody looks whether they were carried out. */
  'journal forgotten': {
    plant: () => ({ asksWithoutLooking: true }),
    finding: /is begun twice/,
  },
  /** Guests are switched to where nobody has seen their tap yet. */
  'switched before it was ready': {
    plant: () => ({ doesNotWait: true, copyMs: 3 }),
    finding: /is not counted at .*, which was ready for it/,
  },
  /** Ports of groups that isolate are taken over while their host may still be open. */
  'takeover before the lease ran out': { plant: tooSoon, finding: TWO_FORWARDERS },
  /** An agent without an answer renews its lease. */
  'lease renewed without a grant': { plant: grantedBySilence, finding: TWO_FORWARDERS },
  /** A host that started anew opens its ports by what it held before. */
  'host that came back not fenced': {
    plant: () => ({ ...LOST, believesDisk: true }),
    finding: TWO_FORWARDERS,
  },
} as const satisfies Record<string, Mutant>;

export type MutantName = keyof typeof MUTANTS;
export const MUTANT_NAMES = Object.keys(MUTANTS) as MutantName[];
