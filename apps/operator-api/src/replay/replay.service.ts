import { Inject, Injectable } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { problem, ProblemError } from '#kernel';
import { ledgerTotals, type DomainEvent, type Port, type State } from '#domain';
import { asOf } from '../as-of.js';
import { stateCodec } from '#runtime';
import { type ReplayReport } from '#contracts/http';
import { poisonProblem, Replica, stateDigest } from '#event-store';
import { messageOf, readLines, repudiations, unreadable } from './lines.js';
import { RULES, type ClusterRules } from '../ports.js';
import { isExact } from '../views/ledger.js';
import { sumOf } from '../views/counters.js';
import { byName, migrationView } from '../views/resources.js';

/** Messages that are read in one piece: the API goes on answering in between. */
export const SLICE = 500;

/** Folds a log that somebody sends into an empty state. One at a time, in slices, far from the live state. */
@Injectable()
export class ReplayService {
  private busy = false;

  constructor(@Inject(RULES) private readonly rules: ClusterRules) {}

  async replay(body: AsyncIterable<Uint8Array>): Promise<ReplayReport> {
    if (this.busy)
      throw new ProblemError(problem('unavailable', 'another replay is running; try again later'));
    this.busy = true;
    try {
      return await this.fold(body);
    } finally {
      this.busy = false;
    }
  }

  private async fold(body: AsyncIterable<Uint8Array>): Promise<ReplayReport> {
    const began = performance.now();
    const lines = await readLines(body);
    const replica = new Replica<State, DomainEvent>(this.rules, undefined, repudiations(lines));
    const counted = { commits: 0, events: 0 };
    for (let i = 0; i < lines.length; i++) {
      if (i % SLICE === SLICE - 1) await nextTurn();
      const applied = replica.apply(messageOf(lines, i));
      if (!applied.ok) throw unreadable(i + 1, poisonProblem(applied.error).message);
      if (applied.value.kind !== 'commit') continue;
      counted.commits += 1;
      counted.events += applied.value.commit.events.length;
    }
    const digest = stateDigest(replica.state, stateCodec, this.rules.hash);
    return report(
      asOf({ state: replica.state, ...replica.head }),
      digest,
      counted,
      performance.now() - began,
    );
  }
}

function report(
  state: State,
  digest: string,
  counted: { commits: number; events: number },
  ms: number,
): ReplayReport {
  const ports = [...state.ports.values()].filter(
    (p) => p.ledger.segments.length > 0 || p.ledger.folded !== null,
  );
  const { hosts, switches, groups, migrations } = state;
  return {
    lineage: state.lineage,
    revision: state.revision,
    ...counted,
    digest,
    elapsedMs: Math.round(ms),
    counts: {
      hosts: hosts.size,
      switches: switches.size,
      groups: groups.size,
      ports: state.ports.count((p) => !p.deleted),
      migrations: migrations.size,
    },
    ledgers: ports.sort((a, b) => byName(a.id, b.id)).map(ledgerLine),
    migrations: [...migrations.values()]
      .sort((a, b) => byName(a.id, b.id))
      .map((m) => {
        const { id, owner, source, destination, phase, elapsedMs } = migrationView(m, state.time);
        return { id, owner, source, destination, phase, elapsedMs };
      }),
  };
}

/** The log holds what segments closed at; what open ones counted since is not in it. */
function ledgerLine(p: Port): ReplayReport['ledgers'][number] {
  const total = ledgerTotals(p.ledger, () => undefined);
  return {
    port: p.id,
    group: p.group,
    owner: p.connectee?.owner ?? null,
    in: sumOf(total.in),
    out: sumOf(total.out),
    segments: p.ledger.segments.length + p.ledger.foldedCount,
    open: p.ledger.segments.filter((s) => s.close === null).length,
    exact: isExact(p),
  };
}
