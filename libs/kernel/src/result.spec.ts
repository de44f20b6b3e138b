import { describe as suite, expect, it } from '@jest/globals';
import { describe, detail, invalid, ok, problem, ProblemError, err, unwrap } from './result.js';

suite('problems', () => {
  it('say field, value, reason and what would be right in one sentence', () => {
    const found = invalid('spec.vlan.id', 4095, 'is not a VLAN id', 'an integer from 1 to 4094');
    expect(found.message).toBe('spec.vlan.id 4095: is not a VLAN id; expected an integer from 1 to 4094');
    expect(found).toMatchObject({
      code: 'invalid',
      retry: false,
      details: [{ field: 'spec.vlan.id', value: '4095' }],
    });
  });

  it('shorten long values and survive those that JSON can not hold', () => {
    expect(detail('x', 'a'.repeat(500), 'is long').value).toHaveLength(200);
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(detail('x', circular, 'is circular').value).toBe('[object Object]');
    expect(detail('x', { n: 1n }, 'has a bigint').value).toBe('{"n":"1"}');
    expect(detail('x', undefined, 'is missing')).not.toHaveProperty('value');
    expect(describe({ field: '', reason: 'is empty' })).toBe('input: is empty');
  });

  it('know which of them may succeed later', () => {
    expect(problem('unavailable', 'x').retry).toBe(true);
    expect(problem('unknown', 'x').retry).toBe(true);
    expect(problem('conflict', 'x').retry).toBe(false);
  });

  it('are thrown only where a value can not be returned', () => {
    expect(unwrap(ok(3))).toBe(3);
    const fault = problem('refused', 'no');
    expect(() => unwrap(err(fault))).toThrow(ProblemError);
  });
});
