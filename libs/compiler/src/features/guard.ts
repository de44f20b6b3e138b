import { goto, match, meter, RESERVED, TOKENS } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { isLeftOut, pastUplinkIn } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { portMeter } from '../meters.js';
import { isPlugged, type SteadyPlan } from '../resolve/plan.js';

/** What no guest may send or get whatever its policy, and in both directions ports that are blocked, or there for a mirror's copies alone. */
export const guard: Feature = {
  name: 'guard',
  bridge: (bridge, out) => {
    for (const eth_dst of [RESERVED, TOKENS]) out.flow(TABLES.GUARD_IN, 400, match({ eth_dst }), []);
    out.flow(TABLES.GUARD_IN, 0, {}, [goto(TABLES.SEGMENT)]);
    if (bridge.heard.length > 0) heard(bridge, out);
    out.flow(TABLES.TRAP, 400, match({ eth_dst: RESERVED }), []);
  },
  port: (port, out) => {
    const { slot } = port;
    if (isPlugged(port)) {
      // Never back to where it came from, and before the meters, else a port would be counted its own broadcasts.
      out.flow(TABLES.DISPATCH_OUT, 400, match({ [REG.from]: slot, [REG.to]: slot }), [], slot);
    }
    if (!port.policy.blocked && port.alone !== true) return;
    out.flow(TABLES.GUARD_IN, 300, match({ [REG.from]: slot }), [], slot);
    // Counted as offered, like all that policy keeps from a port.
    const offered = meter(portMeter(slot, 'offeredOut'));
    out.flow(TABLES.DISPATCH_OUT, 300, match({ [REG.to]: slot }), [offered], slot);
  },
};

/** What an uplink brings that the host does not take itself. */
function heard(bridge: SteadyPlan, out: Emitter): void {
  for (const { key } of bridge.uplinks.filter(isLeftOut))
    out.flow(TABLES.UPLINK_IN, 50, match({ [REG.uplink]: key }), [], key);
  out.flow(TABLES.UPLINK_IN, 0, {}, [pastUplinkIn(bridge)]);
}
