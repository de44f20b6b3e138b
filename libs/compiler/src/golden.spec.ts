import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { compile } from './compile.js';
import { desiredOf, factsOf, groupDoc, switchDoc, TOKEN, type HostSpec } from './documents.fixture.js';
import { bridgeText } from './text.fixture.js';

const trunk = groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 100, to: 103 }] } as never });
const web = groupDoc('web', { vlan: { mode: 'access', id: 100 } as never });
const filter = [
  {
    name: 'ssh',
    direction: 'in',
    action: 'drop',
    match: { ipProtocol: 6, dst: '10.0.0.0/8', dstPort: { from: 22, to: 23 } },
  },
];
const policed = { average: 1_000_000, peak: 2_000_000, burst: 20_000 };

const EXAMPLES: Record<string, HostSpec> = {
  'two-ports': { groups: [web], ports: [{ n: 1 }, { n: 2 }] },
  'trunk-and-teams': {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
    groups: [web, trunk],
    ports: [{ n: 1 }, { n: 2, group: 'trunk', override: { promiscuous: true } }],
  },
  policy: {
    groups: [web],
    ports: [
      { n: 1, override: { filter, shapingIn: policed, shapingOut: policed } as never },
      { n: 2, override: { blocked: true } },
    ],
  },
  'moving-away': { groups: [web], ports: [{ n: 1, token: TOKEN }] },
  arriving: { groups: [web], ports: [{ n: 1, role: 'standby', epoch: 2, token: TOKEN }] },
};

/** To accept a change on purpose, delete the file and run again; the diff is what is reviewed. */
describe('golden flows', () => {
  it.each(Object.keys(EXAMPLES))('%s', (name) => {
    const desired = desiredOf(EXAMPLES[name] as HostSpec);
    const { state, exceptions } = compile(desired, factsOf(desired));
    const text = state.bridges.map(bridgeText).join('\n');
    const file = new URL(`./golden/${name}.golden.txt`, import.meta.url);
    if (!existsSync(file) && process.env['CI'] === undefined) writeFileSync(file, text);
    expect(exceptions).toEqual([]);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
