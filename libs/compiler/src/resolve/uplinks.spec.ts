import { describe, expect, it } from '@jest/globals';
import { type ObservedInterface } from '#openflow';
import { compile } from '../compile.js';
import { desiredOf, factsOf, switchDoc } from '../documents.fixture.js';

/** What is said of `eth0` on a switch of 9,000, and whether its port stands. */
function said(of: Pick<ObservedInterface, 'mtu' | 'mtuRequest'>) {
  const desired = desiredOf({ docs: [{ ...switchDoc(), mtu: 9_000 }], ports: [{ n: 1 }] });
  const facts = factsOf(desired);
  const interfaces = facts.interfaces.map((i) => (i.name === 'eth0' ? { ...i, ...of } : i));
  const { exceptions, bindings } = compile(desired, { ...facts, interfaces });
  return { exceptions, open: bindings[0]?.open };
}

describe("an uplink's MTU", () => {
  it.each([
    [{ mtu: 1_500, mtuRequest: 9_000 }, 'did not take more when asked'],
    [{ mtu: 8_999 }, 'was not asked for more'],
  ])("is told where it is less than the switch's, with both figures: %j", (of, why) => {
    const { exceptions, open } = said(of);
    expect(exceptions).toEqual([
      { port: null, object: 'switch/lan', code: 'uplink-mtu', reason: expect.stringContaining(why) },
    ]);
    for (const figure of ['uplink1', 'eth0', String(of.mtu), '9000'])
      expect(exceptions[0]?.reason).toContain(figure);
    expect(open).toBe(true);
  });

  it.each([{ mtu: 9_000 }, { mtu: 9_216 }, {}])('is no matter where it is enough, or not known: %j', (of) => {
    expect(said(of)).toEqual({ exceptions: [], open: true });
  });
});
