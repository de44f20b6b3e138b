import { describe, expect, it } from '@jest/globals';
import { diff, observe, order } from '#openflow';
import { compile } from '../compile.js';
import { desiredOf, factsOf, switchDoc } from '../documents.fixture.js';

const LAG = { name: 'lag1', uplinks: ['uplink1', 'uplink2'], mode: 'active', fast: true, hash: 'l2' };

/** The state of a host with this LAG of two uplinks. */
function stateOf(lag: object) {
  const doc = { ...switchDoc('lan', LAG.uplinks), lags: [{ ...LAG, ...lag }] };
  const switches = { lan: { uplink1: 'eth0', uplink2: 'eth1' } };
  const desired = desiredOf({ switches, docs: [doc as never], ports: [] });
  return compile(desired, factsOf(desired)).state;
}

describe('a LAG', () => {
  it.each([{ mode: 'passive' }, { fast: false }])(
    'stays, and is told so where LACP is to be spoken otherwise: %j',
    (lag) => {
      const steps = order(diff(stateOf(lag), observe(stateOf({}))));
      const changes = steps.flatMap((step) => (step.kind === 'ovsdb' ? step.changes : []));
      const said = { ...LAG, ...lag };
      const settings = { lacp: said.mode, otherConfig: { 'lacp-time': said.fast ? 'fast' : 'slow' } };
      expect(changes).toMatchObject([{ op: 'set-port', settings }]);
    },
  );

  it('stays as it is where it is spread otherwise', () => {
    const steps = order(diff(stateOf({ hash: 'l3l4' }), observe(stateOf({}))));
    expect(steps.filter(({ kind }) => kind === 'ovsdb')).toEqual([]);
  });
});
