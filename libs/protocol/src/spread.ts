/** A half to one, by name: hosts that have to do something at the same time do not all do it at once. */
export function spread(name: string): number {
  let mixed = 0;
  for (let i = 0; i < name.length; i += 1) mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x9e3779b1);
  return 0.5 + (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 0) / 2 ** 33;
}
