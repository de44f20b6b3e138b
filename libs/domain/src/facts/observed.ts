import { type HostName, type SwitchName } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refuse } from '../decider/refusal.js';
import { type Fact } from '../model/commands.js';
import { type Switch } from '../model/state.js';

export function drift(draft: Draft, host: HostName, fact: Extract<Fact, { type: 'Drift' }>): void {
  const { object, differences, repaired, durationMs } = fact;
  draft.emit({ type: 'DriftObserved', host, object, differences, repaired, durationMs });
}

export function flapping(draft: Draft, host: HostName, fact: Extract<Fact, { type: 'Flapping' }>): void {
  const { object, count, from, to } = fact;
  draft.emit({ type: 'FlappingObserved', host, object, count, from, to });
}

/** Level-triggered: an uplink that is as it was is no news. */
export function uplinkState(
  draft: Draft,
  host: HostName,
  fact: Extract<Fact, { type: 'UplinkState' }>,
  refuse: Refuse,
): void {
  const { uplink, up, speed, mtu } = fact;
  const sw = switchOf(draft, host, fact, refuse);
  if (sw === null) return;
  const known = draft.state.hosts.get(host);
  const name = `${sw.name} ${uplink}`;
  const wasDown = known?.downUplinks.includes(name) ?? false;
  const news = {
    ...(speed === undefined || known?.uplinkSpeeds?.[name] === speed ? {} : { speed }),
    ...(mtu === undefined || known?.uplinkMtus?.[name] === mtu ? {} : { mtu }),
  };
  if (wasDown === !up && Object.keys(news).length === 0) return;
  draft.emit({ type: 'UplinkChanged', host, switch: sw.name, uplink, up, ...news });
}

/** As told last: the same again is no news. */
export function uplinkVlans(
  draft: Draft,
  host: HostName,
  fact: Extract<Fact, { type: 'UplinkVlans' }>,
  refuse: Refuse,
): void {
  const sw = switchOf(draft, host, fact, refuse);
  if (sw === null) return;
  const { uplink } = fact;
  const missing = [...new Set(fact.missing)].sort((a, b) => a - b);
  const known = draft.state.hosts.get(host)?.uplinkVlans?.[`${sw.name} ${uplink}`] ?? [];
  if (known.join() === missing.join()) return;
  draft.emit({ type: 'UplinkVlansMissed', host, switch: sw.name, uplink, missing });
}

/** The switch in which this host maps the uplink, or null. */
function switchOf(
  draft: Draft,
  host: HostName,
  fact: { readonly switch: string; readonly uplink: string },
  refuse: Refuse,
): Switch | null {
  const sw = draft.state.switches.get(fact.switch as SwitchName);
  if (sw?.members[host]?.[fact.uplink] !== undefined) return sw;
  const reason = `is not an uplink that this host maps in switch ${fact.switch}`;
  refuse(refusal('no-uplink', 'uplink', fact.uplink, reason));
  return null;
}
