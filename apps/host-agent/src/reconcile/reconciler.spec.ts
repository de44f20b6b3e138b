import { describe, expect, it } from '@jest/globals';
import { ProblemError, problem, systemClock, type HostName, type Lineage, type Revision } from '#kernel';
import { type Compiled, type Desired } from '#compiler';
import {
  applyStep,
  makeCookie,
  observe,
  type DataplaneState,
  type Driver,
  type DriverEvent,
  type Step,
} from '#openflow';
import { Reconciler, type ReconcilerHooks, type Wanted } from './reconciler.js';

const cookie = makeCookie({ feature: 1, object: 1 });
/** A bridge whose only flow lets everything pass, or nothing. */
const state = (passes: boolean): DataplaneState => ({
  bridges: [
    {
      name: 'pt-lan',
      switch: 'lan',
      ports: [],
      groups: [],
      meters: [],
      mtu: 1500,
      flows: [
        {
          table: 0,
          priority: 1,
          match: {},
          cookie,
          actions: passes ? [{ kind: 'goto', table: 1 }] : [],
        },
      ],
    },
  ],
});
const wanted: Wanted = {
  desired: { host: { foreignFlows: 'report' } } as Desired,
  lineage: 'l' as Lineage,
  received: 3 as Revision,
  faults: [],
};

/** A reconciler over a switch that stands open, is to be closed, and fails as `fails` says. */
function given(
  fails: (step: Step, times: number) => boolean,
  compiling: () => void = () => undefined,
  failed: () => void = () => undefined,
  open = true,
) {
  const claims: number[] = [];
  const failures: [string, boolean][] = [];
  let compilations = 0;
  let have = observe(state(open));
  const applied: string[] = [];
  let finished!: () => void;
  const done = new Promise<void>((resolve) => (finished = resolve));
  const driver = {
    read: () => Promise.resolve(have),
    rows: () => Promise.resolve({ bridges: have.bridges, interfaces: have.interfaces }),
    apply: (step: Step) => {
      applied.push(step.kind);
      const times = applied.filter((kind) => kind === step.kind).length;
      if (fails(step, times)) throw new ProblemError(problem('unavailable', `${step.kind} failed`));
      have = applyStep(have, step);
      return Promise.resolve();
    },
  } as unknown as Driver;
  const hooks = {
    wanted: () => wanted,
    facts: () =>
      Promise.resolve({ host: 'a' as HostName, round: 1, slots: {}, activations: [], handedOver: [] }),
    compile: () => {
      compilations += 1;
      compiling();
      return { state: state(false), exceptions: [], bindings: [], quarantined: [] } satisfies Compiled;
    },
    readBack: () => undefined,
    planned: () => Promise.resolve(),
    compared: () => undefined,
    stands: () => undefined,
    done: () => {
      claims.push(compilations);
      return Promise.resolve(finished());
    },
    failed: (why, retry) => {
      failures.push([why, retry]);
      failed();
    },
    random: () => 0,
  } as ReconcilerHooks;
  return { reconciler: new Reconciler(driver, systemClock, hooks), applied, done, claims, failures };
}

describe('the reconciler', () => {
  it('is not done before a change that tightens is effective, also when waiting for it failed', async () => {
    const { reconciler, applied, done } = given((step, times) => step.kind === 'effective' && times < 3);
    reconciler.kick();
    await done;
    await reconciler.close();
    expect(applied).toEqual(['bundle', 'effective', 'effective', 'effective']);
  });

  it('claims nothing while the switch tells of changes of its own at every pass, and goes on', async () => {
    let passes = 0;
    let changing = true;
    const { reconciler, done, claims, failures } = given(
      () => false,
      () => {
        passes += 1;
        if (changing) reconciler.noticed({ kind: 'flows', changes: [] } as unknown as DriverEvent);
      },
      () => (changing = false),
    );
    reconciler.kick();
    await done;
    await reconciler.close();
    expect(failures).toEqual([[expect.stringContaining('does not come to rest'), true]]);
    expect(claims).toEqual([5]);
    expect(passes).toBe(5);
  });

  it('waits once when the change itself has to be sent again', async () => {
    const { reconciler, applied, done } = given((step, times) => step.kind === 'bundle' && times < 2);
    reconciler.kick();
    await done;
    await reconciler.close();
    expect(applied).toEqual(['bundle', 'bundle', 'effective']);
  });

  it('makes sure, once, that what an earlier run left on the switch is effective', async () => {
    const { reconciler, applied, done } = given(
      () => false,
      () => undefined,
      () => undefined,
      false,
    );
    reconciler.kick();
    await done;
    expect(applied).toEqual(['effective']);
    reconciler.kick();
    await reconciler.close();
    expect(applied).toEqual(['effective']);
  });
});
