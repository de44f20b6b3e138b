import { RULE_ACTIONS } from '#domain/on-host';
import { type Direction, type RuleAction } from '#domain';

/**
 * The rule of a filter for which a frame is handed over. It bears its name, so that it means the same whatever the list
 * is by then.
 */
export interface NoticedRule {
  readonly name: string;
  /** Of the port: `in` is what it sent. */
  readonly direction: Exclude<Direction, 'both'>;
  readonly verdict: RuleAction;
  /** Of the frames that are handed over, one in so many is meant. */
  readonly sample: number;
}

const HEAD = 6;

/** Direction (0 in, 1 out), place of the verdict among the actions, `sample` (4 bytes), name. */
export function encodeRule({ name, direction, verdict, sample }: NoticedRule): Uint8Array {
  const bytes = new Uint8Array(HEAD + name.length);
  bytes.set([direction === 'in' ? 0 : 1, RULE_ACTIONS.indexOf(verdict)]);
  new DataView(bytes.buffer).setUint32(2, sample);
  for (let i = 0; i < name.length; i += 1) bytes[HEAD + i] = name.charCodeAt(i);
  return bytes;
}

/** Null: these are no rule's. */
export function decodeRule(bytes: Uint8Array): NoticedRule | null {
  const [direction = 2, place = -1] = bytes;
  const verdict = RULE_ACTIONS[place];
  if (bytes.length < HEAD || direction > 1 || verdict === undefined) return null;
  return {
    name: String.fromCharCode(...bytes.subarray(HEAD)),
    direction: direction === 0 ? 'in' : 'out',
    verdict,
    sample: new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(2),
  };
}
