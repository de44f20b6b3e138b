import { ProblemError } from '#kernel';
import {
  type BridgeObservation,
  type Flow,
  type FlowStats,
  type Match,
  type MeterStats,
  type ObservedRow,
  type PortStats,
} from '#openflow';
import { type OfSession } from '../flow/of-session.js';
import { type RowCache } from '../ovsdb/cache.js';
import { type DatapathType } from './config.js';
import { findBridge, isOurs, KICK_TABLE } from './names.js';
import { describeSettings } from './settings.js';

/** Above this share of all meters, all are read at once: one reply instead of one a meter. */
const ALL_OVER = 4;

/** Everything of one bridge. The requests go out together, so that the parts are as near in time as can be. */
export async function readBridge(
  session: OfSession,
  cache: RowCache,
  name: string,
  datapathType: DatapathType,
): Promise<BridgeObservation> {
  const [flows, groups, configs, stats, ports, blind] = await Promise.all([
    session.ask({ kind: 'flow-stats-request', cookie: 0n, cookieMask: 0n, match: {} }, 'flow-stats-reply'),
    session.ask({ kind: 'group-desc-request' }, 'group-desc-reply'),
    session.ask({ kind: 'meter-config-request' }, 'meter-config-reply'),
    session.ask({ kind: 'meter-stats-request' }, 'meter-stats-reply'),
    session.ask({ kind: 'port-desc-request' }, 'port-desc-reply'),
    isBlind(session),
  ]);
  const durations = new Map(
    stats.flatMap((part) => part.stats).map(({ id, durationMs }) => [id, durationMs]),
  );
  const meters = configs
    .flatMap((part) => part.meters)
    // A meter in one of the replies only came or went in between.
    .flatMap((meter) => {
      const durationMs = durations.get(meter.id);
      return durationMs === undefined ? [] : [{ ...meter, durationMs }];
    });
  const unreadable = flows.flatMap((part) => part.unreadable);
  return {
    ...describeRow(cache, name, datapathType),
    ...(blind ? { fragmentsBlind: true } : {}),
    flows: flows.flatMap((part) => part.flows).filter(({ flow }) => !isKick(flow)),
    groups: groups.flatMap((part) => part.groups),
    meters,
    ports: ports.flatMap((part) => part.ports),
    ...(unreadable.length === 0 ? {} : { unreadable }),
  };
}

/** Whether the switch hides what fragments have from rules. */
export async function isBlind(session: OfSession): Promise<boolean> {
  const config = await session.ask({ kind: 'get-config-request' }, 'get-config-reply');
  return !config.every((part) => part.matchFragments);
}

/** Counts of meters. A meter that is gone is left out; asking for one by one, the switch refuses it. */
export async function readMeters(session: OfSession, ids: readonly number[]): Promise<readonly MeterStats[]> {
  if (ids.length === 0) return [];
  if (ids.length <= ALL_OVER) {
    const single = await Promise.allSettled(
      ids.map((id) => session.ask({ kind: 'meter-stats-request', id }, 'meter-stats-reply')),
    );
    return single.flatMap((result) => {
      if (result.status === 'fulfilled') return result.value.flatMap((part) => part.stats);
      if (isRefusal(result.reason)) return [];
      throw result.reason;
    });
  }
  const wanted = new Set(ids);
  const parts = await session.ask({ kind: 'meter-stats-request' }, 'meter-stats-reply');
  return parts.flatMap((part) => part.stats).filter(({ id }) => wanted.has(id));
}

export async function readFlows(
  session: OfSession,
  cookie: bigint,
  cookieMask: bigint,
  match: Match = {},
): Promise<readonly FlowStats[]> {
  const parts = await session.ask(
    { kind: 'flow-stats-request', cookie, cookieMask, match },
    'flow-stats-reply',
  );
  return parts.flatMap((part) => part.flows);
}

export async function readPorts(session: OfSession): Promise<readonly PortStats[]> {
  const parts = await session.ask({ kind: 'port-stats-request' }, 'port-stats-reply');
  return parts.flatMap((part) => part.stats);
}

/** What the database says of a bridge of ours, which are all made of this type. */
export function describeRow(cache: RowCache, name: string, datapathType: DatapathType): ObservedRow {
  const row = findBridge(cache, name)?.row;
  const local = [...cache.rows('Interface')].find(([, { name: device }]) => device === name)?.[1];
  const mtu = local?.mtuRequest ?? local?.mtu;
  return {
    name,
    externalIds: row?.externalIds ?? {},
    ...(row === undefined || isOurs(row) ? {} : { markLost: true }),
    failMode: row?.failMode ?? '',
    ...(mtu === undefined ? {} : { mtu }),
    ...describeSettings(cache, name, datapathType),
  };
}

/** A kick of ours that is on its way: see effective.ts. */
const isKick = ({ table, cookie, actions }: Flow): boolean =>
  table === KICK_TABLE && cookie === 0n && actions.length === 0;

function isRefusal(cause: unknown): boolean {
  return cause instanceof ProblemError && cause.problem.code === 'refused';
}
