import { describe, detail, err, ok, problem, type ProblemDetail, type Result } from '#kernel';
import { readFile } from 'node:fs/promises';
import { text } from './accepts.js';
import { envFields, type EnvField } from './env-field.js';

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A YAML file of property names; default: the variable `PORTOLAN_CONFIG`, else none. */
  readonly file?: string;
}

const HIDDEN = '(hidden)';

/** Environment before file before default, all validated; every fault at once, each with variable, value and what is right. */
export async function loadConfig<T extends object>(
  Class: new () => T,
  sources: ConfigSources,
): Promise<Result<T>> {
  const fields = envFields(Class.prototype as object);
  const path = sources.file ?? sources.env['PORTOLAN_CONFIG'];
  const file =
    path === undefined || path === '' ? ok<Record<string, unknown>>({}) : await readYaml(path, fields);
  if (!file.ok) return file;
  const config = new Class();
  const faults: ProblemDetail[] = [];
  const from = new Map<string, string>();
  for (const field of fields) {
    const text = sources.env[field.env];
    if (text !== undefined && text !== '') {
      from.set(field.property, field.env);
      assign(config, field.property, coerce(text, field.kind));
    } else if (field.property in file.value) {
      from.set(field.property, `${path}: ${field.property}`);
      assign(config, field.property, file.value[field.property]);
    }
  }
  for (const field of fields) {
    const value = (config as Record<string, unknown>)[field.property];
    if (value === undefined && field.optional === true) continue;
    if ((field.accepts ?? text)(value)) continue;
    const shown = value === undefined ? '(not set)' : field.secret === true ? HIDDEN : value;
    const reason = value === undefined ? 'is missing' : 'is not accepted';
    faults.push(detail(from.get(field.property) ?? field.env, shown, reason, field.expected));
  }
  if (faults.length === 0) return ok(config);
  return err(problem('invalid', `configuration: ${faults.map(describe).join(' | ')}`, faults));
}

/** The configuration as it may be logged: secrets hidden. */
export function redactConfig(config: object): Record<string, unknown> {
  const secret = new Set(
    envFields(Object.getPrototypeOf(config) as object)
      .filter((f) => f.secret)
      .map((f) => f.property),
  );
  const shown = ([key, value]: [string, unknown]) => [
    key,
    secret.has(key) && value !== undefined ? HIDDEN : value,
  ];
  return Object.fromEntries(Object.entries(config).map(shown)) as Record<string, unknown>;
}

function assign(target: object, property: string, value: unknown): void {
  (target as Record<string, unknown>)[property] = value;
}

/** Text that does not fit stays text, for the validators to name. */
function coerce(text: string, kind: EnvField['kind']): unknown {
  if (kind === 'list')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  if (kind === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

async function readYaml(path: string, fields: readonly EnvField[]): Promise<Result<Record<string, unknown>>> {
  const bad = (field: string, value: unknown, reason: string, expected: string) => {
    const d = detail(field, value, reason, expected);
    return err(problem('invalid', `configuration file ${path}: ${describe(d)}`, [d]));
  };
  let value: unknown;
  try {
    const { parse } = await import('yaml');
    value = parse(await readFile(path, 'utf8')) ?? {};
  } catch (error) {
    return bad(
      'PORTOLAN_CONFIG',
      path,
      (error as Error).message.split('\n')[0] ?? '',
      'a readable YAML file',
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad('', undefined, 'is no mapping', 'name: value lines');
  const known = fields.map((f) => f.property);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) return bad(unknown, undefined, 'is unknown', known.join(', '));
  return ok(value as Record<string, unknown>);
}
