import { LineCounter, parseAllDocuments, type Document, type ParsedNode } from 'yaml';
import { detail, type ProblemDetail, type Result } from '#kernel';
import { firstLine, isMap, refuse } from './faults.js';
import { validateAll, type Loose, type Manifest, type Place } from './manifest.js';

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
