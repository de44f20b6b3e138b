import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { err, ok, problem, type Clock, type Result } from '#kernel';
import { initialState, type Migration, type State } from '#domain';
import { type CommandRequest, type CommandResponse, type Report } from '#contracts';
import { Coordinator, type CoordinatorParts } from './coordinator.js';

const LINEAGE = '00000000-0000-4000-8000-000000000001';

/** Timers run when told, in the order of their time. */
class TestClock implements Clock {
  time = 1_000_000;
  timers: { at: number; fn: () => void }[] = [];
  now = (): number => this.time;
  monotonic = (): number => this.time;
  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.time + ms, fn };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((t) => t !== timer));
  }
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((t) => t !== next);
      this.time = next.at;
      next.fn();
    }
    this.time = end;
    await settled();
  }
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const prepared = (deadline: number): Migration =>
  ({
    id: 'm1',
    source: 'h1',
    destination: 'h2',
    ports: [{ port: 'p1', epoch: 2, activated: false }],
    phase: 'prepared',
    episode: 2,
    deadline,
    history: [{ phase: 'prepared', at: deadline - 60_000, revision: 3 }],
  }) as unknown as Migration;

describe('a coordinator', () => {
  let clock: TestClock;
  let answers: Result<CommandResponse>[];
  let asked: CommandRequest[];
  let leads: boolean;
  let follower: { state: State; lineage: string; status: string; onCommit: (fn: () => void) => () => void };
  let commit: () => void;
  let hosts: object[];
  let statuses: number;
  let coordinator: Coordinator;
  const accepted = ok({ ok: true, revision: 9, lineage: LINEAGE } as unknown as CommandResponse);

  beforeEach(() => {
    clock = new TestClock();
    answers = [];
    asked = [];
    leads = true;
    hosts = [];
    statuses = 0;
    commit = () => undefined;
    const migrations = new Map([['m1', prepared(clock.time + 60_000)]]);
    follower = {
      state: { ...initialState, migrations, moving: new Map([['p1', 'm1']]) } as unknown as State,
      lineage: LINEAGE,
      status: 'live',
      onCommit: (fn) => {
        commit = fn;
        return () => (commit = () => undefined);
      },
    };
    coordinator = new Coordinator({
      follower: follower as unknown as CoordinatorParts['follower'],
      clock,
      instance: 'c1',
      leads: () => leads,
      ask: (_subject, request) => {
        asked.push(request);
        return Promise.resolve(answers.shift() ?? accepted);
      },
      status: () => {
        statuses += 1;
        const nobody = err(problem('unavailable', 'nobody leads'));
        return Promise.resolve(statuses < 3 ? nobody : ok({ lineage: LINEAGE, hosts } as never));
      },
      log: { info: () => undefined, warn: () => undefined },
    });
    coordinator.start();
  });
  afterEach(() => coordinator.close());

  it('proposes what the log calls for, once, and not again while nothing changes', async () => {
    commit();
    await clock.advance(5_000);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      commandId: 'migration:m1:2:moving',
      actor: 'coordinator:c1',
      command: { type: 'AdvanceMigration', from: 'prepared', to: 'moving' },
    });
  });

  it('proposes that an evacuation goes on, and again once something has become of it', async () => {
    const evacuation = {
      id: 'e1',
      host: 'h1',
      phase: 'running',
      episode: 4,
      guests: [],
      to: [],
      parallel: null,
    };
    const host = (name: string) => [name, { name, maintenance: name === 'h1', migrationLimit: 2 }] as const;
    const guest = { id: 'p1', active: { host: 'h1', epoch: 1 }, connectee: { kind: 'vm', owner: 'vm1' } };
    const state = {
      ...initialState,
      hosts: initialState.hosts.concat([host('h1'), host('h2')] as never),
      byHost: initialState.byHost.set('h1' as never, ['p1'] as never),
      ports: initialState.ports.set('p1' as never, guest as never),
      migrations: initialState.migrations.set('m1' as never, prepared(clock.time + 60_000)),
      moving: initialState.moving.set('p1' as never, 'm1' as never),
      evacuations: initialState.evacuations.set('e1' as never, evacuation as never),
    } as State;
    follower.state = state;
    await clock.advance(2_000);
    expect(asked.map((a) => a.commandId)).toEqual(['migration:m1:2:moving']);
    follower.state = { ...state, moving: initialState.moving };
    answers.push(err(problem('unavailable', 'nothing to do yet')));
    commit();
    await clock.advance(2_000);
    expect(asked.slice(1).map((a) => a.command)).toEqual(
      [1, 2].map(() => ({ type: 'AdvanceEvacuation', evacuation: 'e1', episode: 4 })),
    );
    follower.state = {
      ...follower.state,
      evacuations: initialState.evacuations.set('e1' as never, { ...evacuation, episode: 5 } as never),
    };
    await clock.advance(600);
    expect(asked.at(-1)?.commandId).toBe('evacuation:e1:5');
  });

  it('proposes without a commit too: deadlines pass in silence', async () => {
    await clock.advance(600);
    expect(asked).toHaveLength(1);
    await clock.advance(61_000);
    expect(asked.map((a) => a.commandId)).toEqual(['migration:m1:2:moving', 'migration:m1:2:time-out']);
  });

  it('asks again under the same id when nobody leads or the answer is lost', async () => {
    answers.push(err(problem('unavailable', 'nobody leads')), err(problem('unknown', 'no answer')));
    await clock.advance(3_000);
    expect(asked.map((a) => a.commandId)).toEqual(Array.from({ length: 3 }, () => 'migration:m1:2:moving'));
  });

  it('gives up on what is fenced or refused for good', async () => {
    for (const code of ['fenced', 'refused'] as const) {
      answers.push(ok({ ok: false, problem: problem(code, 'the log moved on') }));
      asked = [];
      follower.state = {
        ...follower.state,
        migrations: new Map([
          ['m1', { ...prepared(clock.time + 60_000), episode: code === 'fenced' ? 2 : 4 }],
        ]),
      } as unknown as State;
      await clock.advance(3_000);
      expect([code, asked.length]).toEqual([code, 1]);
    }
  });

  it('proposes nothing while another holds the lease, and takes up from the log when it has it', async () => {
    leads = false;
    commit();
    await clock.advance(3_000);
    expect(asked).toEqual([]);
    leads = true;
    await clock.advance(600);
    expect(asked).toHaveLength(1);
  });

  it('proposes nothing on a log that it can’t read to its end', async () => {
    follower.status = 'poisoned';
    commit();
    await clock.advance(3_000);
    expect(asked).toEqual([]);
  });

  it('takes no evidence out of reports of another lineage', async () => {
    const m = {
      ...prepared(clock.time + 60_000),
      phase: 'admitted',
      history: [{ phase: 'admitted', at: 0, revision: 3 }],
    };
    follower.state = { ...follower.state, migrations: new Map([['m1', m]]) } as unknown as State;
    const heard = (host: string, lineage: string): void =>
      coordinator.heard({ host, lineage, realised: 5, exceptions: [] } as unknown as Report);
    for (const host of ['h1', 'h2']) heard(host, '00000000-0000-4000-8000-00000000000f');
    await clock.advance(1_000);
    expect(asked).toEqual([]);
    for (const host of ['h1', 'h2']) heard(host, LINEAGE);
    await clock.advance(10);
    expect(asked[0]?.command).toMatchObject({ to: 'prepared', evidence: { h1: 5, h2: 5 } });
  });

  it('asks the leader for what hosts reported before it listened, until it has an answer', async () => {
    const m = {
      ...prepared(clock.time + 60_000),
      phase: 'admitted',
      history: [{ phase: 'admitted', at: 0, revision: 3 }],
    };
    const [defined, migrations] = [
      new Map([
        ['h1', {}],
        ['h2', {}],
      ]),
      new Map([['m1', m]]),
    ];
    follower.state = { ...follower.state, hosts: defined, migrations } as unknown as State;
    const standing = (host: string, realised: number, state = 'current') =>
      hosts.push({ host, state, realised, exceptions: [] });
    standing('h1', 5);
    standing('h2', 9, 'other-lineage');
    await clock.advance(1_000);
    expect([statuses, asked]).toEqual([3, []]);
    coordinator.heard({ host: 'h2', lineage: LINEAGE, realised: 4, exceptions: [] } as unknown as Report);
    await clock.advance(10);
    expect(asked[0]?.command).toMatchObject({ to: 'prepared', evidence: { h1: 5, h2: 4 } });
  });

  it('is silent once closed', async () => {
    coordinator.close();
    await clock.advance(3_000);
    expect(asked).toEqual([]);
  });
});
