import { isRecord } from '#kernel';
import { type Node } from './schema.js';

export type Check = (value: unknown) => boolean;

const checks = new WeakMap<Node, Check>();

/** The check of a node, made when it is first asked for: of most wire types a process reads only a few. */
export function checkOf(node: Node): Check {
  let check = checks.get(node);
  if (check === undefined) {
    check = made(node);
    checks.set(node, check);
  }
  return check;
}

function made(node: Node): Check {
  if (node.anyOf !== undefined) return ofUnion(node.anyOf);
  if (node.const !== undefined) return (value) => value === node.const;
  if (node.keys !== undefined) return ofMap(node.keys);
  if (node.properties !== undefined) return ofObject(node.properties, node.required ?? []);
  if (node.items !== undefined) return ofArray(node.items, node.maxItems ?? Infinity);
  if (node.enum !== undefined) return ofWords(node.enum);
  if (node.type === 'string') return ofText(node);
  if (node.type === 'integer' || node.type === 'number') return ofNumber(node);
  if (node.type === 'boolean') return (value) => value === true || value === false;
  return (value) => value === null;
}

/** By the fields that are there, so that one that is not known can't slip through. */
function ofObject(properties: Readonly<Record<string, Node>>, required: readonly string[]): Check {
  const fields = new Map<string, { readonly check: Check; readonly needed: boolean }>();
  for (const [name, node] of Object.entries(properties))
    fields.set(name, { check: checkOf(node), needed: required.includes(name) });
  const needed = required.length;
  return (value) => {
    if (!isRecord(value)) return false;
    let found = 0;
    for (const key of Object.keys(value)) {
      const field = fields.get(key);
      if (field === undefined) return false;
      if (field.needed) found += 1;
      // What a caller in this process left undefined is not there once it travels.
      else if (value[key] === undefined) continue;
      if (!field.check(value[key])) return false;
    }
    return found === needed;
  };
}

function ofMap({ pattern, value: node, max }: NonNullable<Node['keys']>): Check {
  const right = new RegExp(pattern, 'u');
  const check = checkOf(node);
  return (value) => {
    if (!isRecord(value)) return false;
    const keys = Object.keys(value);
    return keys.length <= max && keys.every((key) => right.test(key) && check(value[key]));
  };
}

function ofArray(items: Node | readonly Node[], max: number): Check {
  if (isTuple(items)) {
    const places = items.map(checkOf);
    return (value) =>
      Array.isArray(value) && value.length === places.length && places.every((check, i) => check(value[i]));
  }
  const check = checkOf(items);
  return (value) => {
    if (!Array.isArray(value) || value.length > max) return false;
    for (const item of value) if (!check(item)) return false;
    return true;
  };
}

export const isTuple = (items: Node | readonly Node[]): items is readonly Node[] => Array.isArray(items);

function ofUnion(branches: readonly Node[]): Check {
  if (branches.every((branch) => branch.const !== undefined)) {
    const values: ReadonlySet<unknown> = new Set(branches.map((branch) => branch.const));
    return (value) => values.has(value);
  }
  const all = branches.map(checkOf);
  return (value) => all.some((check) => check(value));
}

function ofWords(words: readonly string[]): Check {
  const allowed: ReadonlySet<unknown> = new Set(words);
  return (value) => allowed.has(value);
}

/** Lengths are in code points: characters as people count them. */
function ofText({ pattern, minLength = 0, maxLength = Infinity }: Node): Check {
  const right = pattern === undefined ? null : new RegExp(pattern, 'u');
  return (value) =>
    typeof value === 'string' &&
    value.length >= minLength &&
    (value.length <= maxLength || (value.length <= 2 * maxLength && [...value].length <= maxLength)) &&
    (right === null || right.test(value));
}

function ofNumber({ type, minimum = -Infinity, maximum = Infinity }: Node): Check {
  const right = type === 'integer' ? Number.isInteger : Number.isFinite;
  return (value) => right(value) && (value as number) >= minimum && (value as number) <= maximum;
}
