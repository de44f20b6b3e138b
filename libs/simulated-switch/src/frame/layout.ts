import { FIELDS, type FieldName } from '#openflow';

/**
 * Every field of the model as 32-bit words of one array, most significant word first, so that looking up a frame
 * compares small integers and never makes one.
 */
export interface Slot {
  readonly at: number;
  readonly words: number;
  readonly bits: number;
}

const slots = new Map<FieldName, Slot>();
let next = 0;
for (const [name, { bits }] of Object.entries(FIELDS)) {
  const words = Math.ceil(bits / 32);
  slots.set(name as FieldName, { at: next, words, bits });
  next += words;
}

export const WORDS = next;

export function slotOf(field: FieldName): Slot {
  const slot = slots.get(field);
  if (slot === undefined) throw new RangeError(`unknown field ${field}`);
  return slot;
}

export const isRegister = (field: FieldName): boolean => field.startsWith('reg') || field === 'metadata';

/** What a `ct` or a tunnel told of a frame; not in its bytes. */
export const isTold = (field: FieldName): boolean => field.startsWith('ct_') || field === 'tun_id';

const LINK: ReadonlySet<FieldName> = new Set([
  'in_port',
  'eth_dst',
  'eth_src',
  'eth_type',
  'vlan_vid',
  'vlan_pcp',
]);

/** Fields that are only known once the frame was looked into beyond its Ethernet header. */
export const isDeep = (field: FieldName): boolean => !isRegister(field) && !isTold(field) && !LINK.has(field);

/** A value of a field as words. */
export function wordsOf(value: bigint, words: number): number[] {
  const out: number[] = [];
  for (let i = words - 1; i >= 0; i -= 1) out.push(Number((value >> BigInt(i * 32)) & 0xffff_ffffn));
  return out;
}

export function valueOf(array: Uint32Array, { at, words }: Slot): bigint {
  let value = 0n;
  for (let i = 0; i < words; i += 1) value = (value << 32n) | BigInt(array[at + i] ?? 0);
  return value;
}
