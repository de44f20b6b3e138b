import { Controller, Get, Inject, Query } from '@nestjs/common';
import { type GroupStats, type ListOf, type PortStats } from '#contracts/http';
import { LiveStore } from '../live/live-store.js';
import { asOf } from '../as-of.js';
import { FOLLOWER, type ClusterFollower } from '../ports.js';
import { page } from '../views/page.js';
import { groupStats, portStats } from '../views/stats.js';
import { GroupQuery, PortQuery } from './dto.js';
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
  groups(@Query() query: GroupQuery): ListOf<GroupStats> {
    const state = asOf(this.follower);
    const wanted = [...state.groups.values()].filter(
      (g) => query.switch === undefined || g.switch === query.switch,
    );
    return page(
      state,
      wanted,
      (g) => g.name,
      query,
      (g) => groupStats(state, g, this.live),
    );
  }
}
