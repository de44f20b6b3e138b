import { MEANING_MASK, sameMeaning } from './cookie.js';
import { type Action, type Flow, type Group, type LearnAction, type Match } from './model.js';
import { type Meter, type SubField } from './model.js';
import { matchFields, normalMatch } from './wire/match.js';

/** What a flow is on the switch: a second one of the same identity replaces it. */
export type FlowIdentity = Pick<Flow, 'table' | 'priority' | 'match'>;

/**
 * The identity as a short string, equal for equal identities: fields in one order, masks of all ones and of none
 * left out, as the switch keeps them.
 */
export function flowKey(flow: FlowIdentity): string {
  let key = flowKeys.get(flow);
  if (key === undefined) {
    key = `${flow.table}/${flow.priority}${matchKey(flow.match)}`;
    flowKeys.set(flow, key);
  }
  return key;
}

/** Two flows of one identity have it in common; found without looking at the match. */
export const flowPlace = ({ table, priority }: FlowIdentity): number => table * 0x10000 + priority;

/** Flows and actions never change, and most of them are compared at each pass: a key is made once. */
const flowKeys = new WeakMap<FlowIdentity, string>();
const actionKeys = new WeakMap<readonly Action[], string>();

export function matchKey(match: Match): string {
  let key = '';
  for (const [field, { value, mask }] of matchFields(match)) {
    const normal = normalMatch(field, value, mask);
    if (normal === undefined) continue;
    key += `,${field.rank}=${normal.value.toString(16)}`;
    if (normal.mask !== undefined) key += `/${normal.mask.toString(16)}`;
  }
  return key;
}

/** Actions as a string, equal for lists that do the same in the same way; the round of a learned cookie is nothing. */
export function actionsKey(actions: readonly Action[]): string {
  let key = actionKeys.get(actions);
  if (key === undefined) {
    key = '';
    for (const action of actions) key += `;${actionKey(action)}`;
    actionKeys.set(actions, key);
  }
  return key;
}

const part = ({ field, offset, bits }: SubField): string => `${field}.${offset}.${bits}`;

function actionKey(action: Action): string {
  switch (action.kind) {
    case 'output': {
      const usual = action.port === 'controller' ? 0xffff : 0;
      return `o${action.port}:${action.maxLen ?? usual}`;
    }
    case 'set-field':
      return `s${matchKey({ [action.field]: action })}`;
    case 'move':
      return `m${part(action.src)}>${part(action.dst)}`;
    case 'resubmit':
      return `r${action.table}`;
    case 'clone':
      return `c(${actionsKey(action.actions)})`;
    case 'group':
      return `g${action.group}`;
    case 'meter':
      return `M${action.meter}`;
    case 'output-trunc':
      return `t${action.port}:${action.maxLen}`;
    case 'controller':
      return `C${action.maxLen}:${action.userdata.join('.')}:${action.reason ?? 1}:${action.meter ?? ''}`;
    case 'ct': {
      const zone = typeof action.zone === 'number' ? action.zone : part(action.zone);
      const flags = (action.commit === true ? 1 : 0) | (action.force === true ? 2 : 0);
      return `T${zone}/${flags}/${action.table ?? ''}(${actionsKey(action.exec ?? [])})`;
    }
    case 'sample': {
      const { probability, collectorSet, domain, point, port = '', direction = '' } = action;
      return `S${probability}/${collectorSet}/${domain}/${point}/${port}/${direction}`;
    }
    case 'learn': {
      const head = `${action.table}/${action.priority}/${action.cookie & MEANING_MASK}/${action.idleTimeout}/${action.hardTimeout}`;
      const specs = action.specs.map((s) => {
        return `${s.kind}:${part(s.dst)}=${'src' in s ? part(s.src) : s.value.toString(16)}`;
      });
      return `l${head}${learnExtras(action)}(${specs.join('|')})`;
    }
    case 'goto':
      return `j${action.table}`;
    case 'push-vlan':
    case 'pop-vlan':
    case 'ct-clear':
      return action.kind;
  }
}

function learnExtras({
  finIdleTimeout,
  finHardTimeout,
  limit,
  resultDst,
  deleteLearned,
}: LearnAction): string {
  const result = resultDst === undefined ? '' : part(resultDst);
  return `/${finIdleTimeout ?? 0}/${finHardTimeout ?? 0}/${limit ?? 0}/${result}/${deleteLearned === true}`;
}

/** Whether the switch would treat frames alike with either flow of one identity. The round makes no difference. */
export function sameFlow(a: Flow, b: Flow): boolean {
  if (a === b) return a.opaque === undefined;
  return (
    a.opaque === b.opaque &&
    a.opaque === undefined &&
    sameMeaning(a.cookie, b.cookie) &&
    (a.idleTimeout ?? 0) === (b.idleTimeout ?? 0) &&
    (a.hardTimeout ?? 0) === (b.hardTimeout ?? 0) &&
    actionsKey(a.actions) === actionsKey(b.actions)
  );
}

export function sameGroup(a: Group, b: Group): boolean {
  return a.opaque === undefined && b.opaque === undefined && groupKey(a) === groupKey(b);
}

export function groupKey(group: Group): string {
  const usual = group.type === 'select' ? 1 : 0;
  const buckets = group.buckets.map(
    (b) => `${b.watchPort ?? ''}*${b.weight ?? usual}${actionsKey(b.actions)}`,
  );
  const { selection } = group;
  const choice =
    selection === undefined
      ? ''
      : `${selection.method}:${selection.param ?? 0n}:${[...selection.fields].sort().join()}`;
  return `${group.id}/${group.type}${choice}[${buckets.join(']')}`;
}

/** The rate that never drops: such a meter counts, and is never shaped. */
export const COUNT_RATE = 0xffffffff;

/** A meter of the ledger: touching it resets its counts, so no plan of ours ever modifies one. */
export const isCountMeter = (meter: Meter): boolean => meter.rate === COUNT_RATE;

/** Two count meters are alike whatever their burst: none of it ever bites, and a change would cost the counts. */
export function sameMeter(a: Meter, b: Meter): boolean {
  if (a.opaque !== undefined || b.opaque !== undefined || a.unit !== b.unit) return false;
  return isCountMeter(a) ? isCountMeter(b) : a.rate === b.rate && a.burst === b.burst;
}
