import { fullPolicy, shortPolicy, without } from '../policy/forms.js';
import { USUAL_MIGRATIONS } from '../manifest/shapes.js';
import { type Group, type Host, type Port, type Switch } from '../model/state.js';
import { isPlain } from '../shape/shape.js';
import { NO_FEATURES } from '../switch/spec.js';

/** What is left out in the short form, where it says this: see policy/forms.ts. */
const OF_HOST = { foreignFlows: 'report', migrationLimit: USUAL_MIGRATIONS } as const satisfies Partial<Host>;
const OF_GROUP = { autoShrink: false } as const satisfies Partial<Group>;
const OF_SWITCH: Readonly<Record<string, unknown>> = { ...NO_FEATURES };

export const shortHost = (host: Host): Host => without(host, OF_HOST);
export const shortSwitch = (s: Switch): Switch =>
  without({ ...s, policy: shortPolicy(s.policy) as Switch['policy'] }, OF_SWITCH);
export const shortGroup = (group: Group): Group =>
  without({ ...group, policy: shortPolicy(group.policy) as Group['policy'] }, OF_GROUP);

export function shortPort(port: Port): Port {
  const override = shortPolicy(port.override);
  return override === port.override ? port : { ...port, override };
}

/** A written state with everything said that its short form leaves out. Never throws; what is no state, it leaves. */
export function fullState(written: unknown): unknown {
  if (!isPlain(written)) return written;
  const each = (field: string, up: (item: Record<string, unknown>) => unknown): unknown => {
    const items = written[field];
    return Array.isArray(items) ? items.map((item: unknown) => (isPlain(item) ? up(item) : item)) : items;
  };
  return {
    ...written,
    hosts: each('hosts', (host) => ({ ...OF_HOST, ...host })),
    switches: each('switches', (s) => ({ ...OF_SWITCH, ...s, policy: fullPolicy(s['policy']) })),
    groups: each('groups', (group) => ({ ...OF_GROUP, ...group, policy: fullPolicy(group['policy']) })),
    ports: each('ports', (port) => {
      const override = fullPolicy(port['override']);
      return override === port['override'] ? port : { ...port, override };
    }),
  };
}
