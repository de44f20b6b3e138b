import 'reflect-metadata';
import { type Accepts } from './accepts.js';

export interface EnvFieldOptions {
  /** Name of the environment variable, e.g. `PORTOLAN_HTTP_PORT`. */
  readonly env: string;
  /** What would be right, as shown in an error. */
  readonly expected: string;
  /** Default: any text. */
  readonly accepts?: Accepts;
  /** It may be left out. */
  readonly optional?: boolean;
  /** Never shown: neither in logs nor in errors. */
  readonly secret?: boolean;
}

export interface EnvField extends EnvFieldOptions {
  readonly property: string;
  /** How text from the environment is read; a list is comma-separated. */
  readonly kind: 'string' | 'number' | 'boolean' | 'list';
}

const KEY = Symbol('portolan.env-fields');

/**
 * Marks a property of a configuration class. The property's declared type says how the text is read; its initial value
 * is the default.
 */
export function EnvField(options: EnvFieldOptions): PropertyDecorator {
  return (target, property) => {
    const type: unknown = Reflect.getMetadata('design:type', target, property);
    const fields: readonly EnvField[] = Reflect.getMetadata(KEY, target) ?? [];
    const field: EnvField = { ...options, property: String(property), kind: kindOf(type) };
    Reflect.defineMetadata(KEY, [...fields, field], target);
  };
}

/** The fields of a configuration class, those of its base classes too. */
export const envFields = (prototype: object): readonly EnvField[] =>
  (Reflect.getMetadata(KEY, prototype) as readonly EnvField[] | undefined) ?? [];

function kindOf(type: unknown): EnvField['kind'] {
  if (type === Number) return 'number';
  if (type === Boolean) return 'boolean';
  return type === Array ? 'list' : 'string';
}
