import { err, invalid, ok, type Result } from '#kernel';
import { decodeRule, encodeRule, type NoticedRule } from './rule-notice.js';

/**
 * What the switch hands the agent a frame for. A kind is a line here, the flow that hands it over (`toAgent`), and the
 * service of the agent that takes it (`AgentService.frames`). Numbers are never given to another kind.
 */
export const NOTICE_KINDS = {
  /** The switch opened a binding by itself. */
  activated: 1,
  /** The switch turned a binding away by itself. */
  turned: 2,
  /** LLDP of what an uplink is plugged into. */
  neighbour: 3,
  /** A frame of another host's health check, or its answer. */
  probe: 4,
  /** A rule wants it logged. */
  logged: 5,
  /** A rule wants its sender told. */
  rejected: 6,
  /** Who wants which multicast, and who asks. */
  membership: 7,
  /** Another uplink of the same switch leads to where this one does. */
  beacon: 8,
} as const;

export type NoticeKind = keyof typeof NOTICE_KINDS;

/** What a flow says of a frame that it hands over. What the frame itself knows more (registers) is in its metadata. */
export interface Notice {
  readonly kind: NoticeKind;
  /** Of the port; of what an uplink brought, the uplink's key. */
  readonly slot: number;
  /** Epoch of the port's binding on this host; 0 where no port is concerned. */
  readonly epoch: number;
  /** Of what a rule hands over, and of nothing else; `slot` is the number of its list then. */
  readonly rule?: NoticedRule;
}

const OF_RULES: ReadonlySet<NoticeKind> = new Set(['logged', 'rejected']);
const MAGIC = 0x50;
const LENGTH = 12;
const KINDS: ReadonlyMap<number, NoticeKind> = new Map(
  Object.entries(NOTICE_KINDS).map(([kind, number]) => [number, kind as NoticeKind]),
);

/** As userdata: `P`, kind, slot (2 bytes), epoch (8 bytes), all big endian; behind that the rule. */
export function encodeNotice(notice: Notice): Uint8Array {
  const rule = notice.rule === undefined ? [] : encodeRule(notice.rule);
  const bytes = new Uint8Array(LENGTH + rule.length);
  bytes.set(rule, LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, MAGIC);
  view.setUint8(1, NOTICE_KINDS[notice.kind]);
  view.setUint16(2, notice.slot);
  view.setBigUint64(4, BigInt(notice.epoch));
  return bytes;
}

/** Refuses userdata that is not ours. */
export function decodeNotice(bytes: Uint8Array): Result<Notice> {
  const bad = (reason: string) => err(invalid('userdata', [...bytes.subarray(0, 16)], reason));
  if (bytes.length < LENGTH || bytes[0] !== MAGIC) return bad('is not a notice');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = KINDS.get(view.getUint8(1));
  if (kind === undefined) return bad('is a notice of an unknown kind');
  const epoch = view.getBigUint64(4);
  if (epoch > BigInt(Number.MAX_SAFE_INTEGER)) return bad('has an epoch beyond all bounds');
  const notice = { kind, slot: view.getUint16(2), epoch: Number(epoch) };
  if (!OF_RULES.has(kind))
    return bytes.length === LENGTH ? ok(notice) : bad('is longer than a notice of its kind');
  const rule = decodeRule(bytes.subarray(LENGTH));
  return rule === null ? bad('is a notice of no rule') : ok({ ...notice, rule });
}
