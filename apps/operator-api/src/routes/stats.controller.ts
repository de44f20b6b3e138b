import { Controller, Get, Inject, Query } from '@nestjs/common';
import { type GroupStats, type ListOf, type PortStats, type UplinkStats } from '#contracts/http';
import { LiveStore } from '../live/live-store.js';
import { asOf } from '../as-of.js';
import { FOLLOWER, type ClusterFollower } from '../ports.js';
import { page } from '../views/page.js';
import { groupStats, portStats, uplinkStats } from '../views/stats.js';
import { GroupStatsQuery, PortQuery, UplinkQuery } from './dto.js';
import { portsMatching } from './ports.controller.js';

@Controller('v1/stats')
export class StatsController {
  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(LiveStore) private readonly live: LiveStore,
  ) {}

  /** Ports that count, or ever counted: a free port that never had a connectee says nothing. */
  @Get('ports')
  ports(@Query() query: PortQuery): ListOf<PortStats> {
    const state = asOf(this.follower);
    const counting = portsMatching(state, query).filter(
      (p) => p.connectee !== null || p.ledger.segments.length > 0,
    );
    return page(
      state,
      counting,
      (p) => p.id,
      query,
      (p) => portStats(p, this.live),
    );
  }

  @Get('groups')
  groups(@Query() query: GroupStatsQuery): ListOf<GroupStats> {
    const state = asOf(this.follower);
    const wanted = [...state.groups.values()].filter(
      (g) =>
        (query.switch === undefined || g.switch === query.switch) &&
        (query.group === undefined || g.name === query.group),
    );
    return page(
      state,
      wanted,
      (g) => g.name,
      query,
      (g) => groupStats(state, g, this.live),
    );
  }

  @Get('uplinks')
  uplinks(@Query() query: UplinkQuery): ListOf<UplinkStats> {
    const state = asOf(this.follower);
    const hosts = [...state.hosts.keys()].filter((h) => query.host === undefined || h === query.host);
    const all = hosts
      .flatMap((host) => uplinkStats(state, host, this.live))
      .filter((u) => query.switch === undefined || u.switch === query.switch);
    const name = (u: UplinkStats): string => `${u.host}/${u.switch}/${u.uplink}`;
    return page(state, all, name, query, (u) => u);
  }
}
