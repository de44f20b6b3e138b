import { detail, problem, type Problem, type ProblemCode } from '#kernel';

/** An error message of the switch. */
export interface OfError {
  readonly type: number;
  readonly code: number;
}

/** Names of the error types of OpenFlow 1.5, and of the codes that an operator can do something about. */
const TYPES: Readonly<Record<number, string>> = {
  0: 'hello failed',
  1: 'bad request',
  2: 'bad action',
  3: 'bad instruction',
  4: 'bad match',
  5: 'flow-mod failed',
  6: 'group-mod failed',
  7: 'port-mod failed',
  8: 'table-mod failed',
  12: 'meter-mod failed',
  13: 'table features failed',
  14: 'bad property',
  15: 'asynchronous configuration failed',
  16: 'flow monitor failed',
  17: 'bundle failed',
  65535: 'extension error',
};

const CODES: Readonly<Record<string, string>> = {
  '2.0': 'unknown action type',
  '2.4': 'bad output port',
  '2.5': 'bad argument',
  '2.9': 'unknown group',
  '2.13': 'a field that the match does not allow',
  '2.14': 'bad value in set-field',
  '4.6': 'unknown field',
  '4.7': 'bad value',
  '4.8': 'bad mask',
  '4.9': 'a field whose prerequisite is missing',
  '5.1': 'the table is full',
  '5.2': 'unknown table',
  '5.3': 'it overlaps another flow',
  '6.0': 'the group is there already',
  '6.3': 'no room for more groups',
  '6.8': 'unknown group',
  '12.1': 'the meter is there already',
  '12.3': 'unknown meter',
  '12.5': 'bad rate',
  '12.6': 'bad burst',
  '12.11': 'no room for more meters',
};

export function describeError({ type, code }: OfError): string {
  const name = TYPES[type] ?? `error type ${type}`;
  const why = CODES[`${type}.${code}`];
  return why === undefined ? `${name} (code ${code})` : `${name}: ${why}`;
}

/** What the switch refused, with each refused part: `value` is what was asked for. */
export function refusal(
  what: string,
  faults: readonly { readonly field: string; readonly value: unknown; readonly error: OfError }[],
  code: ProblemCode = 'refused',
): Problem {
  const details = faults
    .slice(0, 20)
    .map(({ field, value, error }) => detail(field, value, describeError(error)));
  const first = faults[0];
  const reason = first === undefined ? 'refused' : `${first.field}: ${describeError(first.error)}`;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return problem(code, `${what}: ${reason}${more}`, details);
}
