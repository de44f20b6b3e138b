import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type IncomingHttpHeaders } from 'node:http';
import { parseHostName, unwrap, type Clock } from '#kernel';
import {
  type GroupView,
  type HostView,
  type ListOf,
  type SetView,
  type SwitchView,
  type WriteResult,
} from '#contracts/http';
import { type Host, type ResourceKind, type State } from '#domain';
import { EventFeed } from '../events/event-feed.js';
import { versionOf, writeMeta } from '../http/meta.js';
import { LiveStore } from '../live/live-store.js';
import { asOf } from '../as-of.js';
import { CLOCK, FOLLOWER, type ClusterFollower } from '../ports.js';
import { hostView, switchHealth } from '../views/host.js';
import { page } from '../views/page.js';
import { groupView, setView, switchView, usersBySet } from '../views/resources.js';
import { WriteService } from '../writes/write.service.js';
import { GiveUpDto, GroupQuery, PageQuery, SwitchQuery, VersionedQuery, WaitQuery } from './dto.js';
import { found } from './lookup.js';

@Controller('v1')
export class ResourcesController {
  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(WriteService) private readonly writes: WriteService,
    @Inject(LiveStore) private readonly live: LiveStore,
    @Inject(EventFeed) private readonly feed: EventFeed,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  private get state(): State {
    return asOf(this.follower);
  }

  private host(host: Host): HostView {
    return hostView(this.state, host, this.live, this.feed.driftOf(host.name), this.clock.now());
  }

  @Get('hosts')
  hosts(@Query() query: PageQuery): ListOf<HostView> {
    return page(
      this.state,
      this.state.hosts.values(),
      (h) => h.name,
      query,
      (h) => this.host(h),
    );
  }

  @Get('hosts/:name')
  oneHost(@Param('name') name: string): HostView {
    return this.host(found(this.state.hosts.get(name as never), 'host', name));
  }

  @Delete('hosts/:name')
  deleteHost(
    @Param('name') name: string,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    return this.delete('Host', name, query, headers);
  }

  @Post('hosts/:name/give-up-counters')
  @HttpCode(200)
  giveUpCounters(
    @Param('name') name: string,
    @Body() body: GiveUpDto,
    @Query() query: WaitQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const { reason, dead, fenced } = body;
    const host = unwrap(parseHostName(name, 'name'));
    const command = {
      type: 'GiveUpCounters',
      host,
      reason,
      ...(dead === undefined ? {} : { dead }),
      ...(fenced === undefined ? {} : { fenced }),
    } as const;
    return this.writes.run(command, writeMeta(headers, query.wait, reason));
  }

  @Get('switches')
  switches(@Query() query: SwitchQuery): ListOf<SwitchView> {
    const { host } = query;
    const wanted = [...this.state.switches.values()].filter(
      (s) => host === undefined || Object.hasOwn(s.members, host),
    );
    return page(
      this.state,
      wanted,
      (s) => s.name,
      query,
      (s) => switchView(this.state, s, switchHealth(s, this.live)),
    );
  }

  @Get('switches/:name')
  oneSwitch(@Param('name') name: string): SwitchView {
    const s = found(this.state.switches.get(name as never), 'switch', name);
    return switchView(this.state, s, switchHealth(s, this.live));
  }

  @Delete('switches/:name')
  deleteSwitch(
    @Param('name') name: string,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const kind = this.state.switches.get(name as never)?.kind;
    return this.delete(kind === 'standard' ? 'StandardSwitch' : 'DistributedSwitch', name, query, headers);
  }

  @Get('groups')
  groups(@Query() query: GroupQuery): ListOf<GroupView> {
    const wanted = [...this.state.groups.values()].filter(
      (g) => query.switch === undefined || g.switch === query.switch,
    );
    return page(
      this.state,
      wanted,
      (g) => g.name,
      query,
      (g) => groupView(this.state, g),
    );
  }

  @Get('groups/:name')
  oneGroup(@Param('name') name: string): GroupView {
    return groupView(this.state, found(this.state.groups.get(name as never), 'group', name));
  }

  @Delete('groups/:name')
  deleteGroup(
    @Param('name') name: string,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    return this.delete('PortGroup', name, query, headers);
  }

  @Get('sets')
  sets(@Query() query: PageQuery): ListOf<SetView> {
    const users = usersBySet(this.state);
    return page(
      this.state,
      this.state.sets.values(),
      (s) => s.name,
      query,
      (s) => setView(this.state, s, users),
    );
  }

  @Get('sets/:name')
  oneSet(@Param('name') name: string): SetView {
    const set = found(this.state.sets.get(name as never), 'set', name);
    return setView(this.state, set, usersBySet(this.state));
  }

  @Delete('sets/:name')
  deleteSet(
    @Param('name') name: string,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const kind = this.state.sets.get(name as never)?.kind;
    return this.delete(kind === 'ports' ? 'PortSet' : 'AddressSet', name, query, headers);
  }

  private delete(
    kind: ResourceKind,
    name: string,
    query: VersionedQuery,
    headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const version = versionOf(headers, query.version);
    const command = { type: 'Delete', kind, name, ...(version === undefined ? {} : { version }) } as const;
    return this.writes.run(command, writeMeta(headers, query.wait, query.reason));
  }
}
