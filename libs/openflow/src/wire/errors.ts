/** Error types of OpenFlow 1.5 with the codes that a change of ours can meet. */
const ERRORS: Readonly<Record<number, readonly [string, Readonly<Record<number, string>>]>> = {
  0: ['hello failed', { 0: 'no common version', 1: 'not permitted' }],
  1: [
    'bad request',
    { 0: 'version', 1: 'type', 2: 'multipart', 3: 'experimenter', 6: 'length', 9: 'table', 11: 'port' },
  ],
  2: [
    'bad action',
    { 0: 'type', 1: 'length', 4: 'port', 5: 'argument', 9: 'group', 10: 'not for this match', 17: 'meter' },
  ],
  3: ['bad instruction', { 0: 'unknown', 1: 'unsupported', 2: 'table' }],
  4: [
    'bad match',
    { 1: 'length', 5: 'value outside of mask', 6: 'field', 7: 'value', 8: 'mask', 9: 'prerequisite' },
  ],
  5: ['flow refused', { 1: 'table full', 2: 'table', 3: 'overlap', 4: 'not permitted', 7: 'flags' }],
  6: [
    'group refused',
    { 0: 'exists', 1: 'invalid', 3: 'out of groups', 8: 'unknown group', 12: 'bucket', 13: 'watch' },
  ],
  12: [
    'meter refused',
    {
      1: 'exists',
      2: 'invalid meter',
      3: 'unknown meter',
      6: 'rate',
      7: 'burst',
      8: 'band',
      10: 'out of meters',
    },
  ],
  14: ['bad property', {}],
  15: ['asynchronous configuration refused', {}],
  16: ['flow monitor refused', { 1: 'exists', 3: 'unknown monitor', 5: 'flags', 6: 'table' }],
  17: [
    'bundle refused',
    {
      2: 'unknown bundle',
      3: 'exists',
      4: 'closed',
      5: 'out of bundles',
      9: 'xid',
      10: 'message unsupported',
      13: 'a message failed',
    },
  ],
};

/** One phrase for people and logs, with the numbers for the manual: `meter refused: unknown meter (12/3)`. */
export function errorText(type: number, code: number): string {
  const known = ERRORS[type];
  const numbers = `(${type}/${code})`;
  if (known === undefined) return `refused ${numbers}`;
  const [what, codes] = known;
  const why = codes[code];
  return why === undefined ? `${what} ${numbers}` : `${what}: ${why} ${numbers}`;
}
