import { equalJson } from '#kernel';
import { isPlain } from '../shape/shape.js';
import { type Teaming } from './fields.js';
import { USUAL_TIER } from './filter.js';

/**
 * A policy has two written forms. The full one says everything and is what the code works with. The short one leaves
 * out what older versions had no word for, where it says no more than they could: it is what travels in documents and
 * stands in digests, so that readers of before read on and digests of before stay. `fullPolicy` reads both.
 */
type Plain = Readonly<Record<string, unknown>>;

/** What a teaming without a mode means in what was written: never to change, whatever new ones get by default. */
export const FORMER_TEAMING = {
  mode: 'explicit',
  failback: true,
  notify: false,
  detection: 'link',
} as const satisfies Partial<Teaming>;

const FORMER_RULE = { tier: USUAL_TIER, enabled: true } as const;
const FORMER_FILTER = { stateful: false, default: 'allow' } as const;

/** Never throws: what it can't make sense of, it leaves. What is full already comes back as the same object. */
export function fullPolicy(policy: unknown): unknown {
  if (!isPlain(policy)) return policy;
  const filter = fullFilter(policy['filter']);
  const teaming = fullTeaming(policy['teaming']);
  if (filter === policy['filter'] && teaming === policy['teaming']) return policy;
  return {
    ...policy,
    ...(filter === undefined ? {} : { filter }),
    ...(teaming === undefined ? {} : { teaming }),
  };
}

function fullFilter(filter: unknown): unknown {
  if (Array.isArray(filter)) return { ...FORMER_FILTER, rules: filter.map(fullRule) };
  if (!isPlain(filter) || !Array.isArray(filter['rules'])) return filter;
  const rules = filter['rules'] as unknown[];
  return rules.every((rule) => fullRule(rule) === rule) ? filter : { ...filter, rules: rules.map(fullRule) };
}

function fullRule(rule: unknown): unknown {
  if (!isPlain(rule) || (rule['tier'] !== undefined && rule['enabled'] !== undefined)) return rule;
  return { ...FORMER_RULE, ...rule };
}

const fullTeaming = (teaming: unknown): unknown =>
  isPlain(teaming) && teaming['mode'] === undefined ? { ...FORMER_TEAMING, ...teaming } : teaming;

/** The short form of a policy that is full. */
export function shortPolicy(policy: Plain): Plain {
  const { filter, teaming } = policy;
  if (filter === undefined && teaming === undefined) return policy;
  return {
    ...policy,
    ...(isPlain(filter) ? { filter: shortFilter(filter) } : {}),
    ...(isPlain(teaming) ? { teaming: shortTeaming(teaming) } : {}),
  };
}

function shortFilter(filter: Plain): unknown {
  const rules = (filter['rules'] as readonly Plain[]).map((rule) => without(rule, FORMER_RULE));
  return says(filter, FORMER_FILTER) ? rules : { ...filter, rules };
}

const shortTeaming = (teaming: Plain): Plain =>
  says(teaming, FORMER_TEAMING) ? without(teaming, FORMER_TEAMING) : teaming;

const says = (value: Plain, what: Plain): boolean =>
  Object.entries(what).every(([key, x]) => value[key] === x);

/** Without the fields that say what is meant where they are missing; the same object where it has none of them. */
export function without<T extends object>(value: T, defaults: Plain): T {
  const usual = Object.keys(defaults).filter((key) =>
    equalJson((value as Plain)[key] ?? defaults[key], defaults[key]),
  );
  if (usual.length === 0) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !usual.includes(key))) as T;
}
