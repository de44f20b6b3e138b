import { goto, match, resubmit, set } from '../../pipeline/actions.js';
import { type Feature, type Part } from '../../pipeline/feature.js';
import { REG } from '../../pipeline/registers.js';
import { type BridgePlan, type SetPlan } from '../../resolve/plan.js';
import { afterSets } from '../filter/filter.js';
import { ruleLists, type RuleList } from '../filter/lists.js';
import { BOTH_SIDES, type Side } from '../filter/sides.js';
import { addressRows, portRows, type Row } from './rows.js';
import { asked, asksSets, byName, ENDS, PLACES, type End, type Sets } from './uses.js';

type Bridge = Pick<BridgePlan, 'ports' | 'sets' | 'switch' | 'privateVlans'>;

/**
 * Sets that rules name. Before the rules are asked, a table for each end says with a bit for each set which of them the
 * frame's address, and the port by its MAC, is in; rules match bits. So a member that comes or goes is a row of these
 * tables and touches no rule, whatever the number of rules and ports. An end that no rule asks for has no rows.
 */
export const sets: Feature = {
  name: 'sets',
  parts: (bridge) => {
    if (bridge.sets.length === 0) return [];
    const lists = ruleLists(bridge.ports);
    return [...questions(lists, byName(bridge.sets)), ...tables(bridge, lists)];
  },
};

/** The tables that frames of a list are asked of, and on. */
function questions(lists: readonly RuleList[], known: Sets): Part[] {
  return lists.flatMap((list) => {
    const sides = BOTH_SIDES.filter(({ direction }) => asksSets(list.filter, direction));
    if (sides.length === 0) return [];
    const asking = sides.map((side) => ({ side, asks: tablesOf(list, side, known) }));
    return [
      {
        key: `list ${list.number}`,
        of: `${asking.map(({ asks }) => asks.join()).join(' ')} ${list.text}`,
        write: (out) => {
          for (const { side, asks } of asking)
            out.flow(
              side.sets,
              0,
              match({ [REG.rules]: list.number }),
              [...asks.map(resubmit), goto(afterSets(list.filter, side))],
              list.number,
            );
        },
      },
    ];
  });
}

function tablesOf({ filter }: RuleList, side: Side, known: Sets): number[] {
  const found = ENDS.flatMap((end) =>
    asked(filter, side.direction, end).flatMap((name) => {
      const kind = known.get(name)?.kind;
      return kind === undefined ? [] : [PLACES[kind][end].table];
    }),
  );
  return [...new Set(found)].sort((a, b) => a - b);
}

const KINDS = ['addresses', 'ports'] as const;

function tables(bridge: Bridge, lists: readonly RuleList[]): Part[] {
  return KINDS.flatMap((kind) =>
    ENDS.flatMap((end) => {
      const names = new Set(
        lists.flatMap(({ filter }) => BOTH_SIDES.flatMap(({ direction }) => asked(filter, direction, end))),
      );
      const used = bridge.sets.filter((it) => it.kind === kind && names.has(it.name));
      return used.length === 0 ? [] : tableParts(bridge, kind, end, used);
    }),
  );
}

/** Rows of a table are compared a handful at a time: a member that changes is looked for among some of them only. */
const HANDFULS = 64;

/** By the sets of a bridge, which stay the same list while nothing of them changes. */
const made = new WeakMap<readonly SetPlan[], Map<string, readonly Part[]>>();

function tableParts(
  bridge: Bridge,
  kind: SetPlan['kind'],
  end: End,
  used: readonly SetPlan[],
): readonly Part[] {
  let known = made.get(bridge.sets);
  if (known === undefined) made.set(bridge.sets, (known = new Map<string, readonly Part[]>()));
  const map = kind === 'ports' ? JSON.stringify(bridge.privateVlans) : '';
  const key = `${kind} ${end} ${used.map(({ name }) => name).join()} ${map}`;
  let parts = known.get(key);
  if (parts === undefined) known.set(key, (parts = makeParts(bridge, kind, end, used)));
  return parts;
}

function makeParts(bridge: Bridge, kind: SetPlan['kind'], end: End, used: readonly SetPlan[]): Part[] {
  const { table, register } = PLACES[kind][end];
  const handfuls = new Map<number, Row[]>();
  for (const row of kind === 'addresses' ? addressRows(used) : portRows(used, bridge)) {
    const place = row.hash % HANDFULS;
    const handful = handfuls.get(place);
    if (handful === undefined) handfuls.set(place, [row]);
    else handful.push(row);
  }
  const rest: Part = {
    key: `${table}`,
    of: '',
    // In none. That it stands under every row also tells that a row which comes may stop what passes now.
    write: (out) => out.flow(table, 0, {}, [set(register, 0)]),
  };
  return [
    rest,
    ...[...handfuls].map(([place, rows]): Part => ({
      key: `${table} ${place}`,
      of: rows.map(({ key, bits }) => `${key} ${bits}`).join(),
      write: (out) => {
        for (const row of rows) out.flow(table, row.priority, row.match(end), [set(register, row.bits)]);
      },
    })),
  ];
}
