import { assertNever, describe, invalid, sameItems, type HostName, type Problem } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse, sentence, type Refuse } from '../decider/refusal.js';
import { type Command, type Fact, type NumberedFact } from '../model/commands.js';
import { knownOf } from '../host/abilities.js';
import { segmentClosed, segmentOpened } from '../ledger/facts.js';
import { activatedFact, hypervisorFact, readyFact } from '../migration/facts.js';
import { type DomainEvent } from '../model/events.js';
import { FACT_SHAPES, explainFact, factShape } from './shapes.js';
import { inventory, plugged, unplugged } from './interfaces.js';
import { drift, flapping, uplinkState, uplinkVlans } from './observed.js';

/**
 * One batch of one host. Facts up to the accepted number of the boot are repeats; those of a former boot are late
 * repeats. A fact that the state does not bear out is recorded as refused and does not stop the rest; the batch ends
 * in FactsAccepted, which lets the agent's journal drop it. Nothing new: no events.
 */
export function ingest(draft: Draft, command: Ingest): Problem | null {
  const host = draft.state.hosts.get(command.host);
  if (host === undefined) {
    return refuse('not-found', refusal('no-host', 'host', command.host, 'is not a known host'));
  }
  const bad = command.facts.findIndex((f) => !Number.isSafeInteger(f.seq) || f.seq < 1 || !known(f.fact));
  if (bad >= 0) return invalid(`facts[${bad}]`, command.facts[bad], 'is not a numbered fact of a known type');
  if (host.formerBoots.includes(command.boot)) return null;
  const accepted = host.facts?.boot === command.boot ? host.facts.seq : 0;
  if (command.after !== undefined && command.after > accepted) return gap(command.after, accepted);
  let seq = accepted;
  const refusals = new Refusals(draft, command.host);
  for (const numbered of [...command.facts].sort((a, b) => a.seq - b.seq)) {
    if (numbered.seq <= seq) continue;
    if (draft.state.hosts.get(command.host)?.dead !== undefined)
      draft.emit({ type: 'HostReturned', host: command.host });
    seq = numbered.seq;
    takeIn(draft, command, numbered, refusals);
  }
  refusals.end();
  if (seq <= accepted) return null;
  const abilities = knownOf(command.abilities ?? []);
  const news = sameItems(abilities, host.abilities ?? []) ? {} : { abilities };
  draft.emit({ type: 'FactsAccepted', host: command.host, boot: command.boot, seq, ...news });
  return null;
}

/** What stands between would never be missed again once a later number is accepted. Not for good: it is sent again. */
function gap(after: number, accepted: number): Problem {
  const reason = 'leaves out facts that were not accepted yet';
  return refuse('unavailable', refusal('fact-gap', 'after', after, reason, `at most ${accepted}`));
}

function known(fact: unknown): boolean {
  const type = (fact as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' && Object.hasOwn(FACT_SHAPES, type);
}

type Ingest = Extract<Command, { type: 'IngestFacts' }>;

/** Refusals that one batch writes into the log; what is more is summed up in one. */
const MOST_REFUSED = 50;

class Refusals {
  private count = 0;
  private last: Extract<DomainEvent, { type: 'FactRefused' }> | null = null;

  constructor(
    private readonly draft: Draft,
    private readonly host: HostName,
  ) {}

  add({ seq, fact }: NumberedFact, code: string, reason: string): void {
    this.count += 1;
    this.last = { type: 'FactRefused', host: this.host, seq, fact: fact.type, code, reason };
    if (this.count <= MOST_REFUSED) this.draft.emit(this.last);
  }

  end(): void {
    const more = this.count - MOST_REFUSED;
    if (more <= 0 || this.last === null) return;
    const reason = `${more} more facts of the batch were refused; the last: ${this.last.reason}`;
    this.draft.emit({ ...this.last, code: 'many', reason: reason.slice(0, 4_000) });
  }
}

function takeIn(draft: Draft, command: Ingest, numbered: NumberedFact, refusals: Refusals): void {
  const { fact } = numbered;
  const record: Refuse = (r) => refusals.add(numbered, r.code, sentence(r));
  if (factShape.is(fact)) {
    judge(draft, command, fact, record);
    return;
  }
  refusals.add(numbered, 'malformed', explainFact(fact).map(describe).join('; '));
}

function judge(draft: Draft, { host, checkpoints, suspects = [] }: Ingest, fact: Fact, record: Refuse): void {
  switch (fact.type) {
    case 'Inventory':
      return inventory(draft, host, fact.interfaces, record, suspects);
    case 'InterfacePlugged':
      return plugged(draft, host, fact.interface, record, suspects);
    case 'InterfaceUnplugged':
      return unplugged(draft, host, fact.ifaceId);
    case 'PortActivated':
      return activatedFact(draft, host, fact, record);
    case 'StandbyReady':
      return readyFact(draft, host, fact, record);
    case 'SegmentOpened':
      return segmentOpened(draft, host, fact, record, checkpoints);
    case 'SegmentClosed':
      return segmentClosed(draft, host, fact, record);
    case 'HypervisorMigration':
      return hypervisorFact(draft, host, fact, record);
    case 'Drift':
      return drift(draft, host, fact);
    case 'Flapping':
      return flapping(draft, host, fact);
    case 'UplinkState':
      return uplinkState(draft, host, fact, record);
    case 'UplinkVlans':
      return uplinkVlans(draft, host, fact, record);
    default:
      assertNever(fact);
  }
}
