import { expect, it } from '@jest/globals';
import { type Lineage } from '#kernel';
import { ToldVlans } from './told-vlans.js';

it('tells of each uplink once it is known, when it is another, and all again to a log that came back older', () => {
  const facts: string[] = [];
  const told = new ToldVlans((fact) => {
    if (fact.type === 'UplinkVlans') facts.push(`${fact.switch} ${fact.uplink}: ${fact.missing.join()}`);
  });
  const [first, second] = ['1', '2'] as unknown as [Lineage, Lineage];
  const tell = (lineage: Lineage, ...missing: (readonly number[] | null)[]): string[] => {
    told.of(lineage);
    const known = missing.map((vlans, i) => [`up${i}`, vlans] as const);
    const uplinks = known.flatMap(([uplink, vlans]) => (vlans === null ? [] : [[uplink, vlans] as const]));
    told.tell(new Map([['lan', { missing: () => (uplinks.length === 0 ? null : new Map(uplinks)) }]]));
    return facts.splice(0);
  };
  expect(tell(first, null)).toEqual([]);
  expect(tell(first, [], [7])).toEqual(['lan up0: ', 'lan up1: 7']);
  expect(tell(first, [], [7])).toEqual([]);
  expect(tell(first, [8], [7])).toEqual(['lan up0: 8']);
  expect(tell(second, [8], [7])).toEqual(['lan up0: 8', 'lan up1: 7']);
});
