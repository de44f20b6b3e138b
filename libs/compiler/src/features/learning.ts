import { type Action, type FieldName, type LearnSpec, type SubField } from '#openflow';
import { bitsAre, goto, match, resubmit, set, setBits } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { FLAG, LOOKUP_KEY, REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { sourceMacs } from '../resolve/macs.js';
import { type PortPlan, type SteadyPlan } from '../resolve/plan.js';

const ROW = 100;
/** Seconds that a row says at least that a MAC is elsewhere. */
const AWAY_SECONDS = 15;
const UNICAST = { value: 0n, mask: 0x0100_0000_0000n };
const ACTIVE = { value: 1, mask: 1 };

const whole = (field: FieldName, bits: number): SubField => ({ field, offset: 0, bits });
const SEGMENT = whole(REG.segment, 32);
const SOURCE = whole('eth_src', 48);

/**
 * MACs behind a port, learned from what it sends: as many as its policy says, one after the last is dropped or passes
 * unlearned. Two rows each, by the switch itself: LEARNED_SRC counts them, and tells what comes by an uplink and bears a
 * MAC that is here; LEARNED_DST leads to the port. What is known of ports (their own MACs) comes before, always.
 *
 * A frame from an uplink with a MAC that was learned here is one of the port's that came back, unless it came by the
 * uplink that carries the port: no switch returns a frame by the link it got it from. Then the MAC has moved, and the
 * rows say so.
 */
export const learning: Feature = {
  name: 'learning',
  bridge: (bridge, out) => {
    if (!bridge.ports.some(({ policy }) => policy.macLearning !== null)) return;
    const none = [set(REG.lookup, 0), set(REG.active, 0)];
    const ask = [resubmit(TABLES.ACTIVITY)];
    const to = [...none, resubmit(TABLES.LEARNED_DST), ...ask, goto(TABLES.RESIDENT)];
    out.flow(TABLES.FORWARD, 10, match({ eth_dst: UNICAST }), to);
    const from = [...none, resubmit(TABLES.LEARNED_SRC), ...ask, goto(TABLES.REVERSE_GATE)];
    out.flow(TABLES.REVERSE, 10, {}, from);
    moved(bridge, out);
  },
  port: (port, out) => {
    const { slot, policy } = port;
    const { macLearning } = policy;
    if (macLearning === null) return;
    returned(port, out);
    const from = { [REG.from]: slot };
    const active = { ...from, [REG.active]: ACTIVE };
    const next = goto(TABLES.FILTER_IN);
    for (const eth_src of sourceMacs(port))
      out.flow(TABLES.GATE_IN, 120, match({ ...active, eth_src }), [next], slot);
    const source = row(port, macLearning.ageSeconds, out, 'LEARNED_SRC');
    const counted: Action = { ...source, limit: macLearning.limit, resultDst: FLAG.learned };
    out.flow(TABLES.GATE_IN, 110, match(active), [counted, goto(TABLES.LEARN)], slot);
    const known = { ...from, [REG.flags]: bitsAre(FLAG.learned, 1) };
    const both = [row(port, macLearning.ageSeconds, out, 'LEARNED_DST'), next];
    out.flow(TABLES.LEARN, 100, match(known), both, slot);
    out.flow(TABLES.LEARN, 50, match(from), macLearning.atLimit === 'flood' ? [next] : [], slot);
  },
};

type Rows = 'LEARNED_SRC' | 'LEARNED_DST';

/** The MAC that a row is for: as the source of later frames, or as their destination. */
const keyOf = (table: Rows): LearnSpec[] => [
  { kind: 'match-field', dst: SEGMENT, src: SEGMENT },
  { kind: 'match-field', dst: whole(table === 'LEARNED_SRC' ? 'eth_src' : 'eth_dst', 48), src: SOURCE },
];

const load = (dst: SubField, value: number): LearnSpec => ({ kind: 'load-value', dst, value: BigInt(value) });

/** Goes with the port, and with its wish to learn. */
function row({ slot }: PortPlan, ageSeconds: number, out: Emitter, table: Rows) {
  const says = table === 'LEARNED_DST' ? load(whole(REG.to, 32), slot) : load(FLAG.learned, 1);
  return {
    kind: 'learn',
    table: TABLES[table],
    priority: ROW,
    cookie: out.learnedCookie(slot),
    idleTimeout: 0,
    hardTimeout: ageSeconds,
    deleteLearned: true,
    specs: [...keyOf(table), load(LOOKUP_KEY, slot), says],
  } as const;
}

/** The rows, if there are any, lead nowhere. */
const forget = (out: Emitter): Action[] =>
  (['LEARNED_SRC', 'LEARNED_DST'] as const).map((table) => ({
    kind: 'learn',
    table: TABLES[table],
    priority: ROW,
    cookie: out.learnedCookie(0),
    idleTimeout: 0,
    hardTimeout: AWAY_SECONDS,
    specs: [...keyOf(table), load(LOOKUP_KEY, 0)],
  }));

/**
 * Asks the port's team by which uplink its frames leave now, whatever it was when a MAC was learned: `moved` answers. Where
 * all uplinks are one link nothing comes back.
 */
function returned({ slot, team }: PortPlan, out: Emitter): void {
  if (team === undefined) return;
  const { id, kind, uplinks } = team;
  const here = { [REG.active]: ACTIVE, [REG.lookup]: slot, [REG.flags]: bitsAre(FLAG.learned, 1) };
  if (kind === 'order') {
    const ask: Action[] = [setBits(FLAG.asksMoved, 1), { kind: 'group', group: id }];
    return out.flow(TABLES.REVERSE_GATE, 110, match(here), ask, slot);
  }
  for (const { key } of uplinks) {
    const actions = [...forget(out), goto(TABLES.FORWARD)];
    out.flow(TABLES.REVERSE_GATE, 110, match({ ...here, [REG.uplink]: key }), actions, slot);
  }
}

/** Within the group's choice, since what a group changes is forgotten behind it: here the frame goes on. */
function moved({ uplinks }: SteadyPlan, out: Emitter): void {
  const asked = { [REG.from]: 0, [REG.flags]: bitsAre(FLAG.asksMoved, 1) };
  for (const { key } of uplinks) {
    const same = match({ ...asked, [REG.chosen]: key, [REG.uplink]: key });
    const on = [setBits(FLAG.asksMoved, 0), set(REG.chosen, 0), resubmit(TABLES.FORWARD)];
    out.flow(TABLES.CHOSEN, 320, same, [...forget(out), ...on], key);
  }
  out.flow(TABLES.CHOSEN, 310, match(asked), []);
}
