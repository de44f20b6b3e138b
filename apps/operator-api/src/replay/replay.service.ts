import { Inject, Injectable } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { canonicalJson, detail, problem, ProblemError, type Revision } from '#kernel';
import { ledgerTotals, type DomainEvent, type Port, type State } from '#domain';
import { asOf } from '../as-of.js';
import { stateCodec } from '#runtime';
import { type ReplayReport } from '#contracts/http';
import { poisonProblem, Replica, stateDigest, type Repudiations } from '#event-store';
import { RULES, type ClusterRules } from '../ports.js';
import { isExact } from '../views/ledger.js';
import { sumOf } from '../views/counters.js';
import { byName, migrationView } from '../views/resources.js';

export const MAX_REPLAY_BYTES = 256 * 1024 * 1024;
const SLICE = 500;

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
      const applied = replica.apply({ seq: i + 1, topic: 'commit', bytes: canonical(lines[i]!) });
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

/** Lines as bytes, without empty ones. */
export async function readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes = MAX_REPLAY_BYTES,
): Promise<Buffer[]> {
  const lines: Buffer[] = [];
  let rest: Buffer[] = [];
  let total = 0;
  const add = (parts: readonly Buffer[]): void => {
    const line = Buffer.concat(parts);
    if (line.toString('latin1').trim() !== '') lines.push(line);
  };
  for await (const chunk of body) {
    total += chunk.length;
    if (total > maxBytes) {
      const d = detail('', `over ${maxBytes} bytes`, 'is too large', `up to ${maxBytes} bytes`);
      throw new ProblemError(problem('invalid', 'the log is too large to be replayed here', [d]));
    }
    let from = 0;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      add([...rest, bytes.subarray(from, at)]);
      rest = [];
      from = at + 1;
    }
    if (from < bytes.length) rest.push(Buffer.from(bytes.subarray(from)));
  }
  add(rest);
  return lines;
}

/** Laid out anew by another program, a line is brought back to what was hashed; a line that is no JSON stays. */
function canonical(line: Buffer): Uint8Array {
  try {
    return Buffer.from(canonicalJson(JSON.parse(line.toString('utf8'))));
  } catch {
    // The reader names what is wrong with it.
    return line;
  }
}

/** Readers know what was repudiated before they begin. */
function repudiations(lines: readonly Buffer[]): Repudiations {
  const found = new Map<string, Revision>();
  for (const line of lines) {
    if (!line.includes('"Repudiated"')) continue;
    try {
      const envelope = JSON.parse(line.toString('utf8')) as {
        data?: { events?: { type?: unknown; data?: unknown }[] };
      };
      for (const e of envelope.data?.events ?? []) {
        const data = e.data as { hash?: unknown; revision?: unknown } | undefined;
        if (e.type !== 'Repudiated' || typeof data?.hash !== 'string') continue;
        found.set(data.hash, Number(data.revision) as Revision);
      }
    } catch {
      // Not JSON, or not of that form: folding names the line.
      continue;
    }
  }
  return found;
}

function unreadable(line: number, reason: string): ProblemError {
  const expected = 'the log from its first commit on, one envelope a line, as GET /v1/log/export gives it';
  const d = detail(`line ${line}`, undefined, reason, expected);
  return new ProblemError(problem('invalid', `line ${line}: ${reason}`, [d]));
}
