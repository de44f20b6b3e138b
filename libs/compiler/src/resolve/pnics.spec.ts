import { describe, expect, it } from '@jest/globals';
import { type ObservedInterface } from '#openflow';
import { compile } from '../compile.js';
import { CompileMemo } from '../memo.js';
import { desiredOf, factsOf } from '../documents.fixture.js';
import { type LocalFacts, type PnicFacts } from '../types.js';

const idle: PnicFacts = { addresses: [] };
const bridged: PnicFacts = { ...idle, master: { name: 'br0', kind: 'bridge' } };
const addressed: PnicFacts = { addresses: ['10.0.0.5/24'] };
const merging: PnicFacts = { ...idle, lro: true };

const desired = desiredOf({ ports: [{ n: 1 }] });
const facts = factsOf(desired);
const isUplink = ({ name }: ObservedInterface): boolean => name === 'eth0';

function compiledWith(pnics: LocalFacts['pnics'], stands: boolean) {
  const interfaces = stands ? facts.interfaces : facts.interfaces.filter((i) => !isUplink(i));
  const { state, exceptions, bindings } = compile(desired, {
    ...facts,
    interfaces,
    ...(pnics === undefined ? {} : { pnics }),
  });
  const plugged = state.bridges[0]?.ports.some(({ name }) => name === 'eth0') === true;
  const said = exceptions.filter(({ port }) => port === null);
  return { plugged, said, codes: said.map(({ code }) => code), open: bindings[0]?.open };
}

describe('a device that is to be an uplink', () => {
  it.each([
    ['a member of a bridge', bridged, ['bridge br0', 'nomaster']],
    ['one with an address', addressed, ['10.0.0.5/24', 'ip address flush dev eth0']],
    ['one that merges frames', merging, ['LRO', 'ethtool -K eth0 lro off']],
  ])(
    'is not plugged while it is %s: the device, what was found and what is right are said',
    (_, found, words) => {
      const { plugged, said, open } = compiledWith({ eth0: found }, false);
      expect(plugged).toBe(false);
      expect(said).toMatchObject([{ object: 'switch/lan', code: 'uplink-in-use' }]);
      for (const word of ['uplink1', 'device eth0 is not plugged', ...words])
        expect(said[0]?.reason).toContain(word);
      // Never as if the switch had no uplink here at all, which would be an internal one.
      expect(open).toBe(false);
    },
  );

  it('says all that is wrong at once', () => {
    const addresses = ['10.0.0.1/8', '10.0.0.2/8', '10.0.0.3/8', '10.0.0.4/8', 'fd00::1/64'];
    const { said } = compiledWith({ eth0: { ...bridged, addresses, lro: true } }, false);
    expect(said).toHaveLength(1);
    expect(said[0]?.reason).toMatch(/bridge br0.*; it has .*10\.0\.0\.3\/8 and 2 more,.*; it merges/);
  });

  it.each([[{ eth0: idle }], [{}], [undefined]])(
    'is plugged where nothing speaks against it: %j',
    (pnics) => {
      expect(compiledWith(pnics, false)).toMatchObject({ plugged: true, codes: ['uplink-missing'] });
    },
  );

  it('is plugged although it merges frames in the kernel, and that is told', () => {
    const { plugged, codes } = compiledWith({ eth0: { ...idle, gro: true } }, false);
    expect(plugged).toBe(true);
    expect(codes).toContain('uplink-advice');
  });
});

describe('an uplink that is plugged', () => {
  it.each([
    ['in a bridge', bridged],
    ['addressed', addressed],
    ['merging', merging],
    ['merging in the kernel', { ...idle, gro: true }],
  ])('stays and is told when it is %s', (_, found) => {
    expect(compiledWith({ eth0: found }, true)).toMatchObject({
      plugged: true,
      codes: ['uplink-advice'],
      open: true,
    });
  });

  it('is not spoken of when it is as it must be', () => {
    for (const pnics of [{}, { eth0: idle }, undefined])
      expect(compiledWith(pnics, true)).toMatchObject({ plugged: true, codes: [], open: true });
  });
});

it('is judged again when something else was found, whatever is remembered', () => {
  const memo = new CompileMemo();
  const told = [idle, bridged, idle].map(
    (found) => compile(desired, { ...facts, pnics: { eth0: found } }, memo).exceptions.length,
  );
  expect(told).toEqual([0, 1, 0]);
});
