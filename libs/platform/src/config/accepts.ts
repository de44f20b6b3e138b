/** Whether a value will do. What would is said by the field's `expected`. */
export type Accepts = (value: unknown) => boolean;

export const text: Accepts = (value) => typeof value === 'string';
export const oneOf =
  (...words: readonly string[]): Accepts =>
  (value) =>
    typeof value === 'string' && words.includes(value);
export const matching =
  (pattern: RegExp): Accepts =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
export const whole =
  (from: number, to: number): Accepts =>
  (value) =>
    Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
/** A list of such, one at least. */
export const each =
  (accepts: Accepts): Accepts =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every(accepts);
