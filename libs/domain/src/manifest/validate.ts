import { describe, detail, err, ok, problem, type ProblemDetail, type Result } from '#kernel';
import { type Resource } from '../model/resources.js';
import { int, isPlain, object, oneOf, optional, type Shape } from '../shape/shape.js';
import { checkResource } from './check.js';
import { KINDS, RESOURCE_KINDS } from './shapes.js';

export const API_VERSION = 'portolan.dev/v1';

interface Manifest {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly version?: number };
  readonly spec: unknown;
}

interface Flat {
  readonly kind: string;
  readonly name: string;
  readonly version?: number;
  readonly spec: unknown;
}

const version = optional(int(0)) as Shape<number>;

/**
 * One resource from outside (file, HTTP, message): structure, types, bounds and everything else that can be judged
 * without the state. Takes both the manifest form (`apiVersion, kind, metadata.name, metadata.version, spec`) and
 * the flat form (`kind, name, version, spec`). Unknown fields are refused with the list of known ones; defaults are
 * filled in; MAC addresses come out in normal form. Every fault is named, with its path below `path`.
 */
export function validateResource(value: unknown, path = ''): Result<Resource> {
  const faults: ProblemDetail[] = [];
  const resource = parse(value, path, faults);
  if (resource !== null) {
    const prefix = path === '' ? '' : `${path}.`;
    for (const d of checkResource(resource)) faults.push({ ...d, field: `${prefix}${d.field}` });
    if (faults.length === 0) return ok(resource);
  }
  return err(problem('invalid', faults.map(describe).join('\n'), faults));
}

function parse(value: unknown, path: string, faults: ProblemDetail[]): Resource | null {
  if (!isPlain(value)) {
    faults.push(detail(path, value, 'is not a resource', 'a map with apiVersion, kind, metadata, spec'));
    return null;
  }
  const kind = RESOURCE_KINDS.find((k) => k === value['kind']);
  if (kind === undefined) {
    const field = path === '' ? 'kind' : `${path}.kind`;
    const reason = value['kind'] === undefined ? 'is missing' : 'is not a known kind';
    faults.push(detail(field, value['kind'], reason, `one of ${RESOURCE_KINDS.join(', ')}`));
    return null;
  }
  const { name, spec } = KINDS[kind] as { name: Shape<string>; spec: Shape<unknown> };
  const given = Object.hasOwn(value, 'spec') ? value : { ...value, spec: {} };
  const manifest = Object.hasOwn(value, 'metadata') || Object.hasOwn(value, 'apiVersion');
  const shape = manifest
    ? object<Manifest>({
        apiVersion: oneOf(API_VERSION),
        kind: oneOf(kind),
        metadata: object<Manifest['metadata']>({ name, version }),
        spec,
      })
    : object<Flat>({ kind: oneOf(kind), name, version, spec });
  const before = faults.length;
  shape.explain(given, path, faults);
  if (faults.length > before) return null;
  const filled = (shape as Shape<Manifest | Flat>).fill(given);
  const named = 'metadata' in filled ? filled.metadata : filled;
  const versioned = named.version === undefined ? {} : { version: named.version };
  return { kind, name: named.name, ...versioned, spec: filled.spec } as unknown as Resource;
}
