import {
  CT_STATE,
  type Action,
  type CtAction,
  type FieldMatch,
  type FieldName,
  type Flow,
  type Match,
} from '#openflow';
import { isRegister, slotOf } from '../frame/layout.js';
import { TAG_PRESENT } from '../frame/packet.js';

export const MAX_TABLE = 253;

const WRITABLE: ReadonlySet<FieldName> = new Set([
  'eth_dst',
  'eth_src',
  'vlan_vid',
  'vlan_pcp',
  'ip_dscp',
  'ip_ecn',
]);

/** What a field needs to be there: [field, one of these exact values]. */
const NEEDS: Partial<Record<FieldName, readonly (readonly [FieldName, readonly bigint[]])[]>> = {};
const need = (fields: readonly FieldName[], ...needs: (readonly [FieldName, readonly bigint[]])[]): void => {
  for (const field of fields) NEEDS[field] = needs;
};
const V4 = ['eth_type', [0x0800n]] as const;
const V6 = ['eth_type', [0x86ddn]] as const;
const IP = ['eth_type', [0x0800n, 0x86ddn]] as const;
need(['ip_proto', 'ip_dscp', 'ip_ecn', 'ip_ttl', 'ip_frag'], IP);
need(['ipv6_label'], V6);
need(['ipv4_src', 'ipv4_dst'], V4);
need(['ipv6_src', 'ipv6_dst'], V6);
need(['tcp_src', 'tcp_dst', 'tcp_flags'], IP, ['ip_proto', [6n]]);
need(['udp_src', 'udp_dst'], IP, ['ip_proto', [17n]]);
need(['icmpv4_type', 'icmpv4_code'], V4, ['ip_proto', [1n]]);
need(['sctp_src', 'sctp_dst'], IP, ['ip_proto', [132n]]);
need(['icmpv6_type', 'icmpv6_code'], V6, ['ip_proto', [58n]]);
need(['nd_target'], V6, ['ip_proto', [58n]], ['icmpv6_type', [135n, 136n]], ['icmpv6_code', [0n]]);
need(['nd_sll'], V6, ['ip_proto', [58n]], ['icmpv6_type', [135n]], ['icmpv6_code', [0n]]);
need(['nd_tll'], V6, ['ip_proto', [58n]], ['icmpv6_type', [136n]], ['icmpv6_code', [0n]]);
need(['ct_nw_src', 'ct_nw_dst'], V4);
need(['ct_ipv6_src', 'ct_ipv6_dst'], V6);
need(['ct_tp_src', 'ct_tp_dst'], IP, ['ct_nw_proto', [1n, 6n, 17n, 58n, 132n]]);
need(['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha'], ['eth_type', [0x0806n, 0x8035n]]);

/** Why a switch would refuse a flow by itself, without looking at what it refers to; undefined: it takes it. */
export function refuseFlow(flow: Flow): string | undefined {
  if (flow.opaque !== undefined) return 'is opaque';
  if (!Number.isInteger(flow.table) || flow.table < 0 || flow.table > MAX_TABLE)
    return `has no table ${flow.table}`;
  if (!(flow.priority >= 0 && flow.priority <= 0xffff)) return `has priority ${flow.priority}`;
  return (
    refuseMatch(flow.match) ??
    refuseActions(flow.actions, flow.table, false) ??
    refuseNeeds(flow.actions, flow.match)
  );
}

/** Actions that the switch takes only for IP packets, and those only for frames with a tag; `tagged`: they have one by then. */
function refuseNeeds(
  actions: readonly Action[],
  match: Match,
  tagged = (Number(match.vlan_vid?.value ?? 0n) & TAG_PRESENT) !== 0,
): string | undefined {
  const { eth_type: type } = match;
  const isIp = type?.mask === undefined && (type?.value === 0x0800n || type?.value === 0x86ddn);
  for (const action of actions) {
    if (action.kind === 'clone') {
      const why = refuseNeeds(action.actions, match, tagged);
      if (why !== undefined) return why;
    }
    if (action.kind === 'push-vlan' || action.kind === 'pop-vlan') tagged = action.kind === 'push-vlan';
    if (!tagged && action.kind === 'set-field' && action.field === 'vlan_vid')
      return 'writes vlan_vid without a match of a tag';
    const tos = action.kind === 'set-field' && (action.field === 'ip_dscp' || action.field === 'ip_ecn');
    if (!isIp && (action.kind === 'ct' || tos)) return `has ${action.kind} without a match of IP`;
  }
  return undefined;
}

function refuseCt(action: CtAction, table: number): string | undefined {
  if (
    typeof action.zone === 'number' ? !(action.zone >= 0 && action.zone <= 0xffff) : action.zone.bits !== 16
  )
    return 'has a ct zone that is not 16 bits';
  if (action.table !== undefined && !(action.table >= 0 && action.table <= MAX_TABLE))
    return `names table ${action.table} of ${table}`;
  if (action.commit !== true && (action.force === true || (action.exec?.length ?? 0) > 0))
    return 'has a ct that writes without a commit';
  for (const inner of action.exec ?? []) {
    const field = inner.kind === 'move' ? inner.dst.field : inner.field;
    if (field !== 'ct_mark' && field !== 'ct_label') return `has a ct that writes ${field}`;
  }
  return undefined;
}

const CT_TUPLE: ReadonlySet<FieldName> = new Set(
  (['ct_nw_proto', 'ct_nw_src', 'ct_nw_dst', 'ct_ipv6_src', 'ct_ipv6_dst'] as FieldName[]).concat([
    'ct_tp_src',
    'ct_tp_dst',
  ]),
);
const SOME_STATE = CT_STATE.new | CT_STATE.established | CT_STATE.related | CT_STATE.reply;

/** The switch wants one of the states to be matched that only a connection has, or that it is not invalid. */
function isValidConnection(state: FieldMatch | undefined): boolean {
  if (state === undefined) return false;
  const mask = state.mask ?? -1n;
  const notInvalid = (mask & CT_STATE.invalid) !== 0n && (state.value & CT_STATE.invalid) === 0n;
  return (state.value & SOME_STATE) !== 0n || ((state.value & CT_STATE.tracked) !== 0n && notInvalid);
}

function refuseMatch(match: Match): string | undefined {
  for (const [name, wanted] of Object.entries(match) as [FieldName, { value: bigint; mask?: bigint }][]) {
    const full = (1n << BigInt(slotOf(name).bits)) - 1n;
    const mask = wanted.mask ?? full;
    if ((mask & ~full) !== 0n || (wanted.value & ~mask) !== 0n) return `${name} has bits outside its mask`;
    if (CT_TUPLE.has(name) && !isValidConnection(match.ct_state))
      return `${name} needs a ct_state that tells of a connection`;
    for (const [field, values] of NEEDS[name] ?? []) {
      const has = match[field];
      if (has === undefined || has.mask !== undefined || !values.includes(has.value))
        return `${name} needs ${field}`;
    }
  }
  return undefined;
}

export function refuseActions(actions: readonly Action[], table: number, inner: boolean): string | undefined {
  for (const [i, action] of actions.entries()) {
    const why = refuseAction(action, table, inner, i, actions.length);
    if (why !== undefined) return why;
  }
  return undefined;
}

function refuseAction(
  action: Action,
  table: number,
  inner: boolean,
  index: number,
  count: number,
): string | undefined {
  switch (action.kind) {
    case 'meter':
      return inner
        ? 'has a meter in a clone or bucket'
        : index > 0
          ? 'has a meter that is not its first action'
          : undefined;
    case 'goto':
      if (inner || index !== count - 1) return 'has a goto that is not its last action';
      return action.table > table && action.table <= MAX_TABLE
        ? undefined
        : `goes back to table ${action.table}`;
    case 'resubmit':
    case 'learn':
      return action.table >= 0 && action.table <= MAX_TABLE ? undefined : `names table ${action.table}`;
    case 'clone':
      return refuseActions(action.actions, table, true);
    case 'set-field':
      return writable(action.field);
    case 'move':
      // A number that is said at once is refused as a bad argument, whatever it is.
      return action.dst.field === 'in_port' ? undefined : writable(action.dst.field);
    case 'output':
      return action.port === 'normal' || action.port === 'local'
        ? `outputs to ${action.port}, which is not simulated`
        : undefined;
    case 'ct':
      return refuseCt(action, table);
    case 'ct-clear':
    case 'sample':
    case 'push-vlan':
    case 'pop-vlan':
    case 'group':
    case 'output-trunc':
    case 'controller':
      return undefined;
  }
}

const writable = (field: FieldName): string | undefined =>
  isRegister(field) || field === 'tun_id' || WRITABLE.has(field)
    ? undefined
    : `writes ${field}, which the switch does not emit`;

/** The same for a bucket of a group. */
export const refuseBucket = (actions: readonly Action[]): string | undefined =>
  refuseActions(actions, -1, true);
