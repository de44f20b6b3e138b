import { detail, isRecord, type ProblemDetail } from '#kernel';
import { checkOf, isTuple } from './check.js';
import { type Node } from './schema.js';

const passes = (node: Node, value: unknown): boolean => checkOf(node)(value);
const at = (path: string, key: string | number): string =>
  typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;

/** The first thing that is wrong with a value that its schema refused: innermost field, value, reason, expected. */
export function explain(schema: Node, value: unknown): ProblemDetail {
  return walk(schema, value, '') ?? detail('', value, 'is not accepted');
}

function walk(node: Node, value: unknown, path: string): ProblemDetail | undefined {
  if (passes(node, value)) return undefined;
  if (node.anyOf !== undefined) return union(node.anyOf, value, path);
  if (node.type === 'object') return object(node, value, path);
  if (node.type === 'array') return array(node, value, path);
  if (node.const !== undefined) return detail(path, value, 'is not accepted', JSON.stringify(node.const));
  return detail(path, value, 'is not accepted', node.description ?? node.type ?? 'something else');
}

function object(node: Node, value: unknown, path: string): ProblemDetail {
  if (!isRecord(value)) return detail(path, value, 'is not an object', node.description ?? 'an object');
  for (const key of node.required ?? [])
    if (!Object.hasOwn(value, key)) return detail(at(path, key), undefined, 'is missing');
  for (const [key, item] of Object.entries(value)) {
    const under = childOf(node, key);
    if (under === undefined) return detail(at(path, key), item, 'is not a known field', known(node));
    const wrong = walk(under, item, at(path, key));
    if (wrong !== undefined) return wrong;
  }
  return detail(path, value, 'is not accepted', node.description);
}

function childOf(node: Node, key: string): Node | undefined {
  if (node.properties !== undefined && Object.hasOwn(node.properties, key)) return node.properties[key];
  if (node.keys !== undefined && new RegExp(node.keys.pattern, 'u').test(key)) return node.keys.value;
  return undefined;
}

const known = (node: Node): string =>
  node.properties === undefined
    ? (node.description ?? 'another key')
    : `one of ${Object.keys(node.properties).join(', ')}`;

function array(node: Node, value: unknown, path: string): ProblemDetail {
  if (!Array.isArray(value)) return detail(path, value, 'is not a list', 'a list');
  if (node.maxItems !== undefined && value.length > node.maxItems)
    return detail(path, `${value.length} items`, 'is too long', `up to ${node.maxItems} items`);
  const items = node.items;
  for (const [i, item] of value.entries()) {
    const under = items !== undefined && isTuple(items) ? items[i] : items;
    const wrong = under === undefined ? undefined : walk(under, item, at(path, i));
    if (wrong !== undefined) return wrong;
  }
  return detail(path, `${value.length} items`, 'has the wrong number of items');
}

/** A union of objects is told apart by its tag; otherwise by what kind of JSON value each branch takes. */
function union(branches: readonly Node[], value: unknown, path: string): ProblemDetail {
  const tag = tagOf(branches);
  if (tag !== undefined && isRecord(value)) {
    const fits = branches.find((b) => {
      const child = b.properties?.[tag];
      return child !== undefined && passes(child, value[tag]);
    });
    if (fits !== undefined) return walk(fits, value, path) ?? detail(path, value, 'is not accepted');
    if (!Object.hasOwn(value, tag))
      return detail(at(path, tag), undefined, 'is missing', choices(branches, tag));
    return detail(at(path, tag), value[tag], 'is not known', choices(branches, tag));
  }
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const alike = branches.filter((b) => b.type === kind && b.const === undefined);
  const only = alike.length === 1 ? alike[0] : undefined;
  if (only !== undefined) return walk(only, value, path) ?? detail(path, value, 'is not accepted');
  return detail(path, value, 'is not accepted', branches.map(sayWhat).join(', or '));
}

const tagOf = (branches: readonly Node[]): string | undefined =>
  ['type', 'kind', 'mode', 'ok'].find((tag) =>
    branches.every(
      (b) => b.properties?.[tag]?.const !== undefined || b.properties?.[tag]?.anyOf !== undefined,
    ),
  );

const choices = (branches: readonly Node[], tag: string): string =>
  branches.map((b) => sayWhat(b.properties?.[tag] ?? {})).join(', ');

function sayWhat(node: Node): string {
  if (node.const !== undefined) return String(node.const);
  if (node.anyOf !== undefined) return node.anyOf.map(sayWhat).join(', ');
  return node.description ?? node.type ?? 'something else';
}
