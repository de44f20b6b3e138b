import { LineCounter, parseAllDocuments, type Document, type ParsedNode } from 'yaml';
import { describe, detail, err, ok, problem, type Problem, type ProblemDetail, type Result } from '#kernel';
import { validateResource, type Resource } from '#domain';
import { API_VERSION } from '#contracts';

/** More than any real file; less than what would make one commit of it impossible. */
export const MAX_RESOURCES = 10_000;
const MAX_FAULTS = 50;

type Place = (path: readonly (string | number)[]) => string;
interface Loose {
  readonly value: unknown;
  /** ` (line 3, column 5)`, or nothing where the text has no lines. */
  readonly place: Place;
}

/** What a file states, and where: faults that are found later are shown at their place in the text too. */
export interface Manifest {
  readonly resources: readonly Resource[];
  locate(fault: Problem): Problem;
}

/** Resources out of a YAML text with one or more documents. Every fault is named with its line and column. */
export function parseYamlResources(text: string): Result<Manifest> {
  const lines = new LineCounter();
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return ` (line ${line}, column ${col})`;
  };
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    version: '1.2',
  });
  const faults: ProblemDetail[] = [];
  const loose: Loose[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    for (const e of [...document.errors, ...document.warnings]) {
      faults.push(detail('', undefined, `malformed YAML: ${firstLine(e.message)}${at(e.pos[0])}`));
    }
    if (faults.length > 0 || document.contents === null) continue;
    const value = plain(document, faults);
    if (value !== null) loose.push({ value, place: placeOf(document, at) });
  }
  return faults.length > 0 ? refuse(faults) : validateAll(loose);
}

/** Resources out of a parsed JSON body `{resources: [...]}`. */
export function parseJsonResources(body: unknown): Result<Manifest> {
  const expected = '{"resources": [...]}';
  if (!isMap(body) || !Array.isArray(body['resources'])) {
    return refuse([
      detail('resources', isMap(body) ? body['resources'] : body, 'is not a list of resources', expected),
    ]);
  }
  const unknown = Object.keys(body).find((key) => key !== 'resources');
  if (unknown !== undefined) return refuse([detail(unknown, body[unknown], 'is not known here', expected)]);
  return validateAll(body['resources'].map((value: unknown) => ({ value, place: () => '' })));
}

function validateAll(items: readonly Loose[]): Result<Manifest> {
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

/** The nearest place that the text has: a missing field is shown at what should hold it. */
function placeOf(document: Document.Parsed<ParsedNode>, at: (offset: number) => string): Place {
  return (path) => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined;
      const start = node?.range?.[0];
      if (start !== undefined) return at(start);
    }
    return '';
  };
}

/** Aliases may repeat what was said, but not blow up a small file. */
function plain(document: Document.Parsed<ParsedNode>, faults: ProblemDetail[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    faults.push(detail('', undefined, `malformed YAML: ${firstLine(String((cause as Error).message))}`));
    return null;
  }
}

function refuse(faults: readonly ProblemDetail[]): {
  readonly ok: false;
  readonly error: ReturnType<typeof problem>;
} {
  const shown = faults.slice(0, MAX_FAULTS);
  const more = faults.length - shown.length;
  const text = sentence(faults, 'the input is wrong');
  return err(problem('invalid', more > 0 ? `${text}; the first ${MAX_FAULTS} are named` : text, shown));
}

/** One fault is the sentence itself; of several only the number is, and the list names them. */
function sentence(faults: readonly ProblemDetail[], otherwise: string): string {
  const [first, ...more] = faults;
  if (first === undefined) return otherwise;
  return more.length === 0 ? describe(first) : `${faults.length} things are wrong`;
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';
const isMap = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);
