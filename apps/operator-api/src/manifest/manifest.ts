import { detail, ok, type Problem, type ProblemDetail, type Result } from '#kernel';
import { validateResource, type Resource } from '#domain';
import { API_VERSION } from '#contracts/http';
import { isMap, refuse, sentence } from './faults.js';

/** More than any real file; less than what would make one commit of it impossible. */
export const MAX_RESOURCES = 10_000;
export type Place = (path: readonly (string | number)[]) => string;
/** A value that should be a resource. */
export interface Loose {
  readonly value: unknown;
  /** ` (line 3, column 5)`, or nothing where the text has no lines. */
  readonly place: Place;
}

/** What a file states, and where: faults that are found later are shown at their place in the text too. */
export interface Manifest {
  readonly resources: readonly Resource[];
  locate(fault: Problem): Problem;
}

export function validateAll(items: readonly Loose[]): Result<Manifest> {
  if (items.length === 0)
    return refuse([
      detail(
        '',
        undefined,
        'holds no resource',
        'one or more documents with apiVersion, kind, metadata and spec',
      ),
    ]);
  if (items.length > MAX_RESOURCES) {
    return refuse([detail('', items.length, 'has too many resources', `up to ${MAX_RESOURCES}`)]);
  }
  const faults: ProblemDetail[] = [];
  const resources: Resource[] = [];
  items.forEach(({ value, place }, i) => {
    const name = label(value, i);
    const flat = flatten(value);
    const result = flat.ok ? validateResource(flat.value) : flat;
    if (result.ok) resources.push(result.value);
    else for (const d of result.error.details) faults.push(located(d, name, place));
  });
  return faults.length > 0 ? refuse(faults) : ok({ resources, locate: (fault) => relocate(fault, items) });
}

/**
 * The outer form is checked here, the kind and its spec by the domain. `status` is what `get` adds: it is left out,
 * so that what was got can be applied again.
 */
function flatten(value: unknown): Result<unknown> {
  if (!isMap(value))
    return refuse([detail('', value, 'is not a resource', 'a map with apiVersion, kind, metadata and spec')]);
  const faults: ProblemDetail[] = [];
  const { apiVersion, kind, metadata, spec, status: _status, ...rest } = value;
  const known = 'apiVersion, kind, metadata, spec';
  for (const [key, v] of Object.entries(rest)) faults.push(detail(key, v, 'is not a known field', known));
  if (apiVersion !== API_VERSION) {
    faults.push(
      detail('apiVersion', apiVersion, apiVersion === undefined ? 'is missing' : 'is not known', API_VERSION),
    );
  }
  if (!isMap(metadata))
    faults.push(
      detail(
        'metadata',
        metadata,
        metadata === undefined ? 'is missing' : 'is not a map',
        'name, and version if wanted',
      ),
    );
  const { name, version, ...more } = isMap(metadata) ? metadata : {};
  for (const [key, v] of Object.entries(more)) {
    faults.push(detail(`metadata.${key}`, v, 'is not a known field', 'name, version'));
  }
  if (faults.length > 0) return refuse(faults);
  return ok({ kind, name, spec: spec ?? {}, ...(version === undefined ? {} : { version }) });
}

function located(d: ProblemDetail, name: string, place: Place): ProblemDetail {
  const field = d.field === 'name' || d.field === 'version' ? `metadata.${d.field}` : d.field;
  return {
    ...d,
    field: field === '' ? name : `${name} ${field}`,
    reason: `${d.reason}${place(steps(field))}`,
  };
}

/** The decider names resources by their place in the list: `resources[2](PortGroup web).spec.ports`. */
const BY_INDEX = /^resources\[(\d+)\]\([^)]*\)\.?(.*)$/s;

function relocate(fault: Problem, items: readonly Loose[]): Problem {
  const details = fault.details.map((d) => {
    const [, index, field] = BY_INDEX.exec(d.field) ?? [];
    const item = index === undefined ? undefined : items[Number(index)];
    return item === undefined
      ? d
      : located({ ...d, field: field ?? '' }, label(item.value, Number(index)), item.place);
  });
  return { ...fault, details, message: sentence(details, fault.message) };
}

const steps = (field: string): (string | number)[] =>
  field
    .split(/[.[\]]+/)
    .filter((s) => s !== '')
    .map((s) => (/^[0-9]+$/.test(s) ? Number(s) : s));

function label(value: unknown, i: number): string {
  const kind = isMap(value) && typeof value['kind'] === 'string' ? value['kind'] : 'document';
  const metadata = isMap(value) ? value['metadata'] : undefined;
  const name = isMap(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : `#${i + 1}`;
  return `${kind}/${name}`.slice(0, 120);
}
