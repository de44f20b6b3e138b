import { type HostName } from '#kernel';
import { type Group, type Port, type State } from '#domain';
import { type GroupStats, type PortStats, type UplinkStats } from '#contracts/http';
import { type LiveStore, type Sampled } from '../live/live-store.js';
import { addRates, NO_SUM, plus, ratesOf, sumOf, type Rates } from './counters.js';
import { uplinksOf } from './host.js';
import { isExact, portTotals, shownTotals } from './ledger.js';
import { ruleHits, ruleHitsOfAll } from './rule-hits.js';
import { iso } from './time.js';

export function portStats(port: Port, live: LiveStore): PortStats {
  const counters = shownTotals(port, live);
  const open = port.ledger.segments.filter((s) => s.close === null);
  const samples = open.map((s) => live.sampled(port.id, s)).filter((s) => s !== undefined);
  const times = samples.map((s) => s.time);
  return {
    port: port.id,
    group: port.group,
    switch: port.switch,
    owner: port.connectee?.owner ?? null,
    host: port.active?.host ?? null,
    in: sumOf(counters.in),
    out: sumOf(counters.out),
    counters,
    dropped: dropped(samples),
    ...beside(port, live),
    ruleHits: ruleHits(port, live),
    rates: samples.map(rates).reduce(addRates, null),
    since: since(port),
    exact: isExact(port),
    countedAt: times.length === 0 ? null : iso(Math.max(...times)),
  };
}

function since({ reset }: Port): PortStats['since'] {
  if (reset === undefined) return null;
  const { time, revision, by, reason } = reset;
  return { time: iso(time), revision, by, reason };
}

const rates = (s: Sampled): Rates | null =>
  s.previous === null ? null : ratesOf(s.previous.raw, s.sample.raw, s.time - s.previous.time);

/** Of the binding that is active: hosts tell it of what they hold now. */
function beside(port: Port, live: LiveStore): Pick<PortStats, 'lost' | 'exceptions' | 'pnic'> {
  const told = port.active === null ? undefined : live.beside(port.id, port.active);
  return { lost: told?.lost ?? null, exceptions: told?.exceptions ?? null, pnic: told?.pnic ?? null };
}

/** Since the meters of the present binding were made: drops are not part of the ledger. */
function dropped(samples: readonly Sampled[]): PortStats['dropped'] {
  const told = samples.map((s) => s.sample.dropped).filter((d) => d !== undefined);
  if (told.length === 0) return null;
  return { in: told.reduce((n, d) => n + d.in, 0), out: told.reduce((n, d) => n + d.out, 0) };
}

export function groupStats(state: State, group: Group, live: LiveStore): GroupStats {
  const ids = state.byGroup.get(group.name);
  const ports = [...(ids ?? [])].map((id) => state.ports.get(id)).filter((p) => p !== undefined);
  const stats = ports.map((p) => portStats(p, live));
  const totals = ports.map((p) => portTotals(p, live));
  return {
    group: group.name,
    switch: group.switch,
    ports: ports.length,
    connected: ports.filter((p) => p.connectee !== null).length,
    // Of the ledgers: what was reset of a port is not reset of its group.
    in: totals.map((t) => sumOf(t.in)).reduce(plus, NO_SUM),
    out: totals.map((t) => sumOf(t.out)).reduce(plus, NO_SUM),
    ruleHits: ruleHitsOfAll(ports, live),
    rates: stats.map((s) => s.rates).reduce(addRates, null),
  };
}

export const uplinkStats = (state: State, host: HostName, live: LiveStore): UplinkStats[] =>
  uplinksOf(state, host, live).map(({ switch: of, uplink, device, up, counts }) => ({
    host,
    switch: of,
    uplink,
    device,
    up,
    counts,
  }));
