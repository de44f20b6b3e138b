import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemError, unwrap } from '#kernel';
import { type StateDocument } from '#contracts';
import { ledgerTotals, packetsOf } from '#domain';
import { derivedHandoverToken, generateSigningKey } from '#platform';
import { contentOf, project, projectAll } from '#protocol';
import {
  expectHistory,
  replayHistory,
  replayText,
  type ExpectedGuest,
  type History,
  type HistoryLedger,
  type HistoryMigration,
} from '#testing';

const DIR = join('test', 'histories');
const SIMULATED = ['completed', 'aborted', 'timed-out', 'back-and-forth', 'version-1'] as const;
const DONE = ['admitted', 'prepared', 'moving', 'switched', 'completed'] as const;
const south = { source: 'north', destination: 'south', handedOver: { exact: true } } as const;
const stayed = { ...south, handedOver: null } as const;

/** What became of the guest that was to go, or was lost. */
const REAL: Readonly<Record<string, ExpectedGuest>> = {
  'qmp-completed': { migrations: [{ ...south, origin: 'operator', phases: DONE }] },
  'qmp-aborted': {
    migrations: [{ ...stayed, phases: ['admitted', 'prepared', 'moving', 'aborting', 'aborted'] }],
  },
  'libvirt-completed': { migrations: [{ ...south, origin: 'operator', phases: DONE }] },
  'libvirt-by-hand': { migrations: [{ ...south, origin: 'observed', phases: DONE }] },
  'libvirt-failed': {
    migrations: [
      { ...stayed, phases: ['admitted', 'prepared', 'moving', 'failed'], reason: /closed the monitor/ },
    ],
  },
  'host-lost': { migrations: [] },
};
const NAMES = [...SIMULATED, ...Object.keys(REAL)];

interface Expected {
  readonly lineage: string;
  readonly revision: number;
  readonly commits: number;
  readonly events: number;
  readonly digest: string;
  readonly guestSent: number;
  readonly phases: Readonly<Record<string, readonly string[]>>;
  readonly ledgers: readonly HistoryLedger[];
  readonly migrations: readonly HistoryMigration[];
}

const handoverToken = unwrap(derivedHandoverToken(generateSigningKey().privateKey));

const textOf = (name: string): string => readFileSync(join(DIR, `${name}.ndjson`), 'utf8');
const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(join(DIR, `${name}.expected.json`), 'utf8')) as Expected;

describe.each(NAMES)('the recorded history "%s"', (name) => {
  const expected = expectedOf(name);

  it('replays to the digest, ledgers and phases that the cluster had', async () => {
    const history = await replayHistory(join(DIR, `${name}.ndjson`), { revision: expected.revision });
    const { lineage, revision, digest, ledgers, migrations } = history;
    expect({ lineage, revision, digest, ledgers }).toEqual({
      lineage: expected.lineage,
      revision: expected.revision,
      digest: expected.digest,
      ledgers: expected.ledgers,
    });
    // What is told of a migration grows: those recorded earlier say less.
    expect(migrations).toMatchObject(expected.migrations);
    expect([history.commits.length, history.events.length]).toEqual([expected.commits, expected.events]);
    for (const m of migrations) expect([m.id, m.phases]).toEqual([m.id, expected.phases[m.id]]);
  });

  it('keeps every invariant at every commit', () => {
    expect(replayText(textOf(name)).broken).toEqual([]);
  });

  it('has at every commit the documents that a full projection gives', () => {
    const documents = new Map<string, StateDocument>();
    replayText(textOf(name), {
      each: (commit, before, after) => {
        for (const { key, document } of project(before, after, commit.events, documents, handoverToken))
          documents.set(key, document);
        const standing = [...documents].filter(([, d]) => d.type !== 'tombstone');
        const content = (all: Iterable<readonly [string, StateDocument]>) =>
          Object.fromEntries([...all].map(([key, document]) => [key, contentOf(document)]));
        expect(content(standing)).toEqual(content(projectAll(after, handoverToken)));
      },
    });
  });

  it('never has a ledger fall', () => {
    const highest = new Map<string, number>();
    replayText(textOf(name), {
      each: (_commit, _before, after) => {
        for (const port of after.ports.values()) {
          const total = packetsOf(ledgerTotals(port.ledger, () => undefined).in);
          expect(total).toBeGreaterThanOrEqual(highest.get(port.id) ?? 0);
          highest.set(port.id, total);
        }
      },
    });
  });
});

const history = (name: string): History => replayText(textOf(name));

describe('what the histories of real guests are', () => {
  const ownerIn = ({ migrations }: History): string => migrations[0]?.owner ?? 'web';

  it.each(Object.entries(REAL))('%s, and in the end the guest was stopped', (name, expected) => {
    const replayed = history(name);
    const inexact = name === 'host-lost' ? 1 : 0;
    const guest = { ...expected, ledger: { segments: 2, open: 0, inexact }, host: null };
    expectHistory(replayed, { [ownerIn(replayed)]: guest });
  });

  it('every packet of the guest, but for the last ones at a host that was lost', () => {
    for (const name of Object.keys(REAL)) {
      const replayed = history(name);
      const counted = replayed.ledgers.find((l) => l.owner === ownerIn(replayed))!.in;
      const { guestSent } = expectedOf(name);
      if (name !== 'host-lost') expect([name, counted]).toEqual([name, guestSent]);
      else expect(guestSent - counted).toBeGreaterThan(0);
    }
  });

  it('a guest of a lost host waited until that was dead, and its ledger says what is missing', () => {
    const { events, state } = history('host-lost');
    const { id } = [...state.ports.values()].find((p) => p.connectee?.owner === 'web')!;
    const its = events.filter((e) => e.type === 'HostDied' || ('port' in e && e.port === id));
    const claimed = its.findIndex((e) => e.type === 'PortClaimed');
    const then = ['PortClaimed', 'HostDied', 'PortTakenOver', 'PortUnbound', 'PortBound'];
    expect(its.slice(claimed, claimed + then.length).map((e) => e.type)).toEqual(then);
    const missing = its.flatMap((e) => (e.type === 'SegmentClosed' && e.inexact) || []);
    expect(missing.map((each) => each.reason)).toEqual([
      expect.stringMatching(/at the last checkpoint: its power supply burnt out/),
    ]);
  });
});

describe('what the simulated histories are', () => {
  it('completed, aborted before activation, timed out, back and forth', () => {
    const phases = (name: string) => history(name).migrations.map((m) => m.phases.join(' '));
    const done = 'admitted prepared moving switched completed';
    expect(phases('completed')).toEqual([done]);
    expect(phases('aborted')).toEqual(['admitted prepared moving aborting aborted']);
    expect(phases('timed-out')).toEqual(['admitted failed']);
    expect(phases('back-and-forth')).toEqual([done, done, done, done, done]);
    expect(history('timed-out').migrations[0]?.reason).toContain('timed out in admitted');
  });

  it('an aborted or timed out one leaves the port where it was, and its counters whole', () => {
    for (const name of ['aborted', 'timed-out']) {
      const { state, ledgers } = history(name);
      const port = [...state.ports.values()].find((p) => p.connectee?.owner === 'web-1')!;
      expect([name, port.active?.host, port.standby]).toEqual([name, 'alpha', null]);
      // The one that timed out ended with the destination's agent still asleep: what it held is not handed in yet.
      expect([name, port.retiring.length]).toEqual([name, name === 'aborted' ? 0 : 1]);
      expect(ledgers.find((l) => l.owner === 'web-1')).toMatchObject({ open: 1, inexact: 0 });
    }
  });

  it('back and forth: the guest’s packets on all hosts, none of them twice', () => {
    const web = history('back-and-forth').ledgers.find((l) => l.owner === 'web-1');
    expect(web).toMatchObject({ segments: 6, open: 1, inexact: 0 });
    expect(web!.in).toBeLessThanOrEqual(expectedOf('back-and-forth').guestSent);
    expect(web!.in).toBeGreaterThan(0);
  });

  it('version 1: other bytes, the same state', () => {
    expect(textOf('version-1')).toContain('"type":"GroupDefined","v":1');
    expect(textOf('version-1')).not.toContain('"type":"GroupDefined","v":2');
    expect(history('version-1').digest).toBe(history('completed').digest);
  });
});

describe('a history that can’t be read', () => {
  const lines = textOf('completed').trimEnd().split('\n');
  const problemOf = (changed: readonly string[], revision?: number): string => {
    try {
      replayText(changed.join('\n'), revision === undefined ? {} : { revision });
    } catch (error) {
      if (error instanceof ProblemError) return error.problem.message;
      throw error;
    }
    throw new Error('it was read');
  };
  const at = (i: number, change: (line: string) => string): string[] =>
    lines.map((line, n) => (n === i ? change(line) : line));

  it('says the revision and the reason of a corrupt line', () => {
    expect(problemOf(at(4, (line) => line.slice(0, 100)))).toMatch(/revision 5 .*is not UTF-8 JSON/);
    expect(problemOf(at(4, (line) => line.replace('"specversion":"1.0"', '"specversion":"9"')))).toMatch(
      /revision 5 .*specversion/,
    );
  });

  it('finds one changed character by the chain, at the revision after it', () => {
    const changed = at(1, (line) => line.replace('"rack":"r1"', '"rack":"r9"'));
    expect(changed[1]).not.toBe(lines[1]);
    expect(problemOf(changed)).toMatch(/revision 3 .*the hash chain is broken/);
  });

  it('finds a missing and a doubled line by the chain', () => {
    expect(problemOf([...lines.slice(0, 6), ...lines.slice(7)])).toMatch(/revision 7 .*hash chain is broken/);
    expect(problemOf([...lines.slice(0, 6), lines[5]!, ...lines.slice(6)])).toMatch(
      /revision 7 .*hash chain/,
    );
    expect(problemOf(lines.slice(1))).toMatch(/revision 1 .*hash chain is broken/);
  });

  it('says the type and version of an event from the future', () => {
    const changed = at(1, (line) =>
      line.replace('"type":"GroupDefined","v":2', '"type":"GroupDefined","v":7'),
    );
    expect(problemOf(changed)).toMatch(/revision 2 .*GroupDefined v7 is newer than v3/);
    expect(
      problemOf(at(1, (line) => line.replace('"type":"GroupDefined"', '"type":"GroupPainted"'))),
    ).toMatch(/revision 2 .*GroupPainted/);
  });

  it('says what is missing of a truncated file: within a line always, between lines if told how far it goes', () => {
    const text = textOf('completed');
    expect(problemOf([text.slice(0, text.length - 40)])).toMatch(/revision \d+ .*is not UTF-8 JSON/);
    const short = lines.slice(0, 9);
    expect(replayText(short.join('\n')).revision).toBe(9);
    expect(problemOf(short, lines.length)).toMatch(/ends at revision 9: revision 10 to \d+ are missing/);
  });
});
