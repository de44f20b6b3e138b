declare const brand: unique symbol;

/** A string or number that can't be mixed up with another of the same shape. */
export type Brand<T, B extends string> = T & { readonly [brand]: B };

/** To be called where every case of a union was handled; reaching it is a defect. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
