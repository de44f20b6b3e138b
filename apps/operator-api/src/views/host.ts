import { type HostName } from '#kernel';
import { notIsolated, type Host, type State, type Switch } from '#domain';
import { type Neighbour, type Telemetry, type UplinkHealth } from '#contracts';
import {
  API_VERSION,
  type ExceptionView,
  type HostView,
  type NeighbourView,
  type SwitchView,
  type UplinkHealthView,
} from '#contracts/http';
import { type HostLive, type LiveStore } from '../live/live-store.js';
import { iso } from './time.js';
import { deviceCounts } from './counters.js';

export const UP_MS = 15_000;
export const LATE_MS = 60_000;

export interface Drift {
  readonly count: number;
  readonly last: string | null;
}

export function hostView(state: State, host: Host, live: LiveStore, drift: Drift, now: number): HostView {
  const seen = live.host(host.name);
  const silence = live.silence(host.name);
  const report = reportOf(state, seen);
  return {
    apiVersion: API_VERSION,
    kind: 'Host',
    metadata: { name: host.name, version: host.version },
    spec: {
      labels: { ...host.labels },
      managementPath: host.managementPath,
      preload: [...host.preload],
      maintenance: host.maintenance,
      migrationLimit: host.migrationLimit,
      foreignFlows: host.foreignFlows,
    },
    status: {
      state: host.dead === undefined ? aliveness(silence) : 'dead',
      ...lossOf(host),
      realised: report?.realised ?? null,
      received: report?.received ?? null,
      behind: report === null ? null : Math.max(0, state.revision - report.received),
      lastSeen: silence === undefined ? null : iso(now - silence),
      driver: seen?.report?.driver ?? null,
      version: seen?.report?.version ?? null,
      ...tablesOf(seen),
      ports: roles(state, host),
      uplinks: uplinksOf(state, host.name, live),
      exceptions: [...exceptionsOf(host.name, report), ...openWhenCutOff(state, host.name)],
      drift,
      vms: (seen?.telemetry?.vms ?? []).map((v) => ({
        owner: v.owner,
        state: v.state,
        ...(v.sent === undefined ? {} : { sent: v.sent }),
        ...(v.received === undefined ? {} : { received: v.received }),
      })),
    },
  };
}

function lossOf({ dead, claims = [] }: Host): Pick<HostView['status'], 'death' | 'waitsFor'> {
  return {
    ...(dead === undefined ? {} : { death: { by: dead.by, reason: dead.reason, at: iso(dead.at) } }),
    ...(claims.length === 0 ? {} : { waitsFor: [...claims] }),
  };
}

const tablesOf = (seen: HostLive | undefined): Pick<HostView['status'], 'tables'> =>
  seen?.telemetry?.tables === undefined ? {} : { tables: seen.telemetry.tables };

/** `ms`: since it was last heard of. */
export function aliveness(ms: number | undefined): HostView['status']['state'] {
  if (ms === undefined) return 'unknown';
  return ms <= UP_MS ? 'up' : ms <= LATE_MS ? 'late' : 'silent';
}

/** Revisions compare within one lineage only: a report of another one says nothing here. */
export function reportOf(state: State, seen: HostLive | undefined): HostLive['report'] {
  const report = seen?.report ?? null;
  return report !== null && report.lineage === state.lineage ? report : null;
}

/** What `isolate` promises and the host's agent, of an earlier version, does not keep. */
const openWhenCutOff = (state: State, host: HostName): ExceptionView[] =>
  notIsolated(state, host).map((port) => ({
    host,
    port,
    object: `port/${port}`,
    code: 'not-isolated',
    reason: 'stays open when the host is cut off: its agent is of a version that knows no leases',
  }));

export function exceptionsOf(host: string, report: HostLive['report']): ExceptionView[] {
  return (report?.exceptions ?? []).map((e) => ({
    host,
    port: e.port,
    object: e.object,
    code: e.code,
    reason: e.reason,
  }));
}

function roles(state: State, host: Host): HostView['status']['ports'] {
  const counts = { active: 0, standby: 0, retiring: 0 };
  for (const id of state.byHost.get(host.name) ?? []) {
    const port = state.ports.get(id);
    if (port?.active?.host === host.name) counts.active += 1;
    if (port?.standby?.host === host.name) counts.standby += 1;
    if (port?.retiring.some((b) => b.host === host.name) === true) counts.retiring += 1;
  }
  return counts;
}

/** What is meant to be there, with what the host says of its link. */
export function uplinksOf(state: State, host: HostName, live: LiveStore): UplinkView[] {
  const {
    uplinks: links = [],
    loads = [],
    neighbours = [],
    beacons = [],
    health = [],
  } = live.host(host)?.telemetry ?? {};
  return [...state.switches.values()].flatMap((s) =>
    Object.entries(s.members[host] ?? {}).map(([uplink, device]) => {
      const of = <T extends Named>(all: readonly T[]): T | undefined =>
        all.find((u) => u.switch === s.name && u.uplink === uplink);
      const look = live.device(host, s.name, device);
      const counts = look === undefined ? null : deviceCounts(look);
      const up = of(links)?.up ?? null;
      const neighbour = neighbourOf(of(neighbours));
      const checked = healthOf(of(health));
      const heard = of(beacons)?.state;
      const told = { ...loadOf(of(loads)), ...(heard === undefined ? {} : { beacons: heard }) };
      return { switch: s.name, uplink, device, up, neighbour, health: checked, counts, ...told };
    }),
  );
}

interface Named {
  readonly switch: string;
  readonly uplink: string;
}

function loadOf(told: NonNullable<Telemetry['loads']>[number] | undefined): Pick<UplinkView, 'load'> {
  if (told === undefined) return {};
  const { speed, sent, received, moved } = told;
  return { load: { speed, sent, received, moved: [...moved] } };
}

type UplinkView = HostView['status']['uplinks'][number];

/** What the health check found on any host of a switch. */
export const switchHealth = (s: Switch, live: LiveStore): SwitchView['status']['health'] =>
  Object.keys(s.members).flatMap((host) =>
    (live.host(host)?.telemetry?.health ?? [])
      .filter((told) => told.switch === s.name)
      .flatMap(({ uplink, faults }) => faults.map((fault) => ({ host, uplink, ...fault }))),
  );

function healthOf(told: UplinkHealth | undefined): UplinkHealthView | null {
  if (told === undefined) return null;
  const { hosts, answered, unheard, faults } = told;
  return { hosts, answered, unheard, faults: faults.map((fault) => ({ ...fault })) };
}

function neighbourOf(told: Neighbour | undefined): NeighbourView | null {
  if (told === undefined) return null;
  const { switch: _switch, uplink: _uplink, capabilities, ...neighbour } = told;
  return { ...neighbour, capabilities: [...capabilities] };
}

/** The newest revision that changed what is wanted: what hosts are measured by. Bindings and counters only follow. */
export function intentRevision(state: State): number {
  let newest = intentOf.get(state);
  if (newest !== undefined) return newest;
  newest = 0;
  for (const all of [state.hosts, state.switches, state.groups, state.ports]) {
    for (const { version } of all.values()) if (version > newest) newest = version;
  }
  // What was changed in an earlier lineage bears a number of that one: all that is known is that it was before now.
  newest = Math.min(newest, state.revision);
  intentOf.set(state, newest);
  return newest;
}
const intentOf = new WeakMap<State, number>();
