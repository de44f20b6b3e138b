import { effectivePolicy, POLICY_FIELDS, type Port, type State } from '#domain';
import { type ExceptionView, type PortDescription } from '#contracts/http';
import { type LiveStore } from '../live/live-store.js';
import { exceptionsOf, reportOf } from './host.js';
import { ledgerView } from './ledger.js';
import { portView } from './resources.js';
import { portStats } from './stats.js';

/** Everything about one port: what holds on it and why, where it is, what it counted, what could not be done. */
export function describePort(state: State, port: Port, live: LiveStore): PortDescription {
  const group = state.groups.get(port.group);
  const sw = state.switches.get(port.switch);
  // A deleted port may outlive its group: then there is nothing that holds on it.
  const effective =
    group === undefined || sw === undefined
      ? null
      : effectivePolicy(sw.uplinks, sw.policy, group.policy, group.overridable, port.override);
  return {
    lineage: state.lineage,
    revision: state.revision,
    port: portView(port),
    policy:
      effective === null
        ? []
        : POLICY_FIELDS.map((field) => ({
            field,
            value: effective.policy[field],
            origin: effective.origin[field],
          })),
    ignored: (effective?.ignored ?? []).map((field) => ({
      field,
      value: port.override[field],
      reason: `group ${port.group} does not let ports override ${field}`,
    })),
    ledger: ledgerView(port, live),
    stats: portStats(port, live),
    exceptions: exceptionsOn(state, port, live),
  };
}

function exceptionsOn(state: State, port: Port, live: LiveStore): ExceptionView[] {
  const hosts = [port.active, port.standby, ...port.retiring].flatMap((b) => (b === null ? [] : [b.host]));
  return [...new Set(hosts)].flatMap((host) =>
    exceptionsOf(host, reportOf(state, live.host(host))).filter((e) => e.port === port.id),
  );
}
