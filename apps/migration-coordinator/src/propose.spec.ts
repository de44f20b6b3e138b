import { describe, expect, it } from '@jest/globals';
import { type HostName } from '#kernel';
import { initialState, type Migration, type MigrationPhase, type State } from '#domain';
import { propose, proposeAll, type HostReport, type View } from './propose.js';

const NOW = 1_000_000;

function migration(phase: MigrationPhase, more: Partial<Migration> = {}): Migration {
  return {
    id: 'm1',
    origin: 'operator',
    owner: 'vm1',
    source: 'h1',
    destination: 'h2',
    ports: [{ port: 'p1', epoch: 2, activated: false }],
    phase,
    episode: 3,
    attempt: 1,
    outcome: null,
    deadline: NOW + 1_000,
    history: [{ phase, at: NOW, revision: 7 }],
    requestedBy: 'operator',
    reason: null,
    ...more,
  } as unknown as Migration;
}

const report = (realised: number, exceptions: HostReport['exceptions'] = []): HostReport =>
  ({ realised, exceptions }) as HostReport;

function view(reports: Readonly<Record<string, HostReport>>, overdue = false): View {
  const map = new Map(Object.entries(reports)) as unknown as ReadonlyMap<HostName, HostReport>;
  return { state: initialState, reports: map, isOverdue: () => overdue };
}

describe('what a coordinator proposes', () => {
  const ready = { h1: report(7), h2: report(9) };

  it.each<[string, MigrationPhase, Record<string, HostReport>, object | null]>([
    [
      'admitted, both realised it',
      'admitted',
      ready,
      { type: 'AdvanceMigration', to: 'prepared', evidence: { h1: 7, h2: 9 } },
    ],
    ['admitted, nobody was heard', 'admitted', {}, null],
    ['admitted, the source is behind', 'admitted', { h1: report(6), h2: report(9) }, null],
    ['admitted, the destination was not heard', 'admitted', { h1: report(9) }, null],
    [
      'admitted, another port is an exception',
      'admitted',
      { h1: report(6), h2: report(9, [{ port: 'p9', reason: 'x' }]) },
      null,
    ],
    [
      'admitted, the destination can’t carry the port out',
      'admitted',
      { h1: report(9), h2: report(9, [{ port: 'p1', reason: 'no uplink' }]) },
      { type: 'AbortMigration', reason: "h2 can't carry out p1: no uplink" },
    ],
    ['prepared', 'prepared', {}, { type: 'AdvanceMigration', from: 'prepared', to: 'moving' }],
    ['moving', 'moving', ready, null],
    ['switched', 'switched', ready, null],
    ['aborting', 'aborting', ready, null],
    ['unknown', 'unknown', ready, null],
    ['completed', 'completed', ready, null],
    ['aborted', 'aborted', ready, null],
    ['failed', 'failed', ready, null],
  ])('%s', (_what, phase, reports, expected) => {
    const proposal = propose(view(reports), migration(phase));
    if (expected === null) expect(proposal).toBeNull();
    else expect(proposal?.command).toMatchObject({ migration: 'm1', ...expected });
  });

  it('a time-out in every phase that has stood too long, before all else', () => {
    for (const phase of ['admitted', 'prepared', 'moving', 'switched', 'aborting'] as const) {
      expect(propose(view({}), migration(phase))?.command.type).not.toBe('TimeOutMigration');
      expect(propose(view({}, true), migration(phase))).toEqual({
        commandId: 'migration:m1:3:time-out',
        command: { type: 'TimeOutMigration', migration: 'm1', episode: 3 },
      });
    }
  });

  it('two coordinators propose under the same id, whatever each has heard beside; the next phase has another', () => {
    const one = propose(view({ h1: report(7), h2: report(7) }), migration('admitted'));
    const two = propose(view({ h1: report(99), h2: report(8), h3: report(1) }), migration('admitted'));
    expect(one?.commandId).toBe('migration:m1:3:prepared');
    expect(two?.commandId).toBe(one?.commandId);
    expect(propose(view({}), migration('prepared', { episode: 4 }))?.commandId).toBe('migration:m1:4:moving');
  });

  it('all migrations of a state, each by itself', () => {
    const migrations = new Map([
      ['m1', migration('prepared')],
      ['m2', migration('moving')],
      ['m3', migration('prepared', { id: 'm3' as Migration['id'] })],
      ['m4', migration('completed')],
    ]);
    const moving = new Map(['m3', 'm1', 'm2'].map((id, n) => [`p${n}`, id]));
    const state = { ...initialState, migrations, moving } as unknown as State;
    const ids = proposeAll({ ...view({}), state }).map((p) => p.commandId);
    expect(ids).toEqual(['migration:m1:3:moving', 'migration:m3:3:moving']);
  });
});
