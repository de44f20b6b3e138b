import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Query,
} from '@nestjs/common';
import { type IncomingHttpHeaders } from 'node:http';
import { describe as sentence, parsePortId, ProblemError, unwrap, type PortId, type Problem } from '#kernel';
import { validateResource, type Command, type Port, type PortResource, type State } from '#domain';
import { type ListOf, type PortDescription, type PortView, type WriteResult } from '#contracts/http';
import { versionOf, writeMeta } from '../http/meta.js';
import { LiveStore } from '../live/live-store.js';
import { asOf } from '../as-of.js';
import { FOLLOWER, type ClusterFollower } from '../ports.js';
import { page } from '../views/page.js';
import { describePort } from '../views/port-description.js';
import { portView } from '../views/resources.js';
import { WriteService } from '../writes/write.service.js';
import { ConnectDto, EmptyDto, MoveDto, OverrideDto, PortQuery, VersionedQuery, WaitQuery } from './dto.js';
import { found } from './lookup.js';

@Controller('v1/ports')
export class PortsController {
  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(WriteService) private readonly writes: WriteService,
    @Inject(LiveStore) private readonly live: LiveStore,
  ) {}

  @Get()
  list(@Query() query: PortQuery): ListOf<PortView> {
    const state = asOf(this.follower);
    return page(state, portsMatching(state, query), (p) => p.id, query, portView);
  }

  @Get(':id')
  describe(@Param('id') id: string): PortDescription {
    const state = asOf(this.follower);
    return describePort(state, found(state.ports.get(id as PortId), 'port', id), this.live);
  }

  @Post()
  @HttpCode(200)
  connect(
    @Body() body: ConnectDto,
    @Query() query: WaitQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const { kind, ifaceId, mac, owner } = body.connectee;
    const connectee = { kind, ifaceId, mac, owner };
    const port = body.port === undefined ? {} : { port: body.port as PortId };
    return this.run({ type: 'ConnectPort', group: body.group, ...port, connectee }, query, headers);
  }

  @Post(':id/disconnect')
  @HttpCode(200)
  disconnect(
    @Param('id') id: string,
    @Body() _body: EmptyDto,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const version = versionOf(headers, query.version);
    const port = unwrap(parsePortId(id));
    return this.run(
      { type: 'DisconnectPort', port, ...(version === undefined ? {} : { version }) },
      query,
      headers,
    );
  }

  @Post(':id/move')
  @HttpCode(200)
  move(
    @Param('id') id: string,
    @Body() body: MoveDto,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const version = versionOf(headers, query.version ?? body.version);
    const command = { type: 'MovePort', port: unwrap(parsePortId(id)), group: body.group } as const;
    return this.run({ ...command, ...(version === undefined ? {} : { version }) }, query, headers);
  }

  /** Replaces all overrides of the port by those given. */
  @Put(':id/override')
  async override(
    @Param('id') id: string,
    @Body() body: OverrideDto,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const version = versionOf(headers, query.version ?? body.version);
    const resource = checkedOverride(id, body.override);
    const command = { type: 'SetPort', port: resource.name, override: resource.spec.override } as const;
    try {
      return await this.run({ ...command, ...(version === undefined ? {} : { version }) }, query, headers);
    } catch (fault) {
      throw fault instanceof ProblemError ? inBody(fault.problem) : fault;
    }
  }

  @Delete(':id')
  delete(
    @Param('id') id: string,
    @Query() query: VersionedQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const version = versionOf(headers, query.version);
    const name = unwrap(parsePortId(id));
    return this.run(
      { type: 'Delete', kind: 'Port', name, ...(version === undefined ? {} : { version }) },
      query,
      headers,
    );
  }

  private run(command: Command, query: WaitQuery, headers: IncomingHttpHeaders): Promise<WriteResult> {
    return this.writes.run(command, writeMeta(headers, query.wait, query.reason));
  }
}

/** By the narrowest index that the filters allow. */
export function portsMatching(state: State, q: PortQuery): Port[] {
  const ids =
    q.owner !== undefined
      ? (state.byOwner.get(q.owner) ?? [])
      : q.host !== undefined
        ? (state.byHost.get(q.host as never) ?? [])
        : q.group !== undefined
          ? (state.byGroup.get(q.group as never) ?? [])
          : state.ports.keys();
  const ports: Port[] = [];
  for (const id of ids) {
    const port = state.ports.get(id);
    if (port === undefined || port.deleted) continue;
    if (q.group !== undefined && port.group !== q.group) continue;
    if (q.switch !== undefined && port.switch !== q.switch) continue;
    if (q.host !== undefined && !isOn(port, q.host)) continue;
    ports.push(port);
  }
  return ports;
}

const isOn = (port: Port, host: string): boolean =>
  port.active?.host === host || port.standby?.host === host || port.retiring.some((b) => b.host === host);

function checkedOverride(id: string, override: unknown): PortResource {
  const result = validateResource({ kind: 'Port', name: id, spec: { override } });
  if (!result.ok) throw inBody(result.error);
  return result.value as PortResource;
}

/** Faults are named as the body has its fields, not as the resource would. */
function inBody(fault: Problem): ProblemError {
  const details = fault.details.map((d) => ({
    ...d,
    field: d.field.replace(/^resources\[0\]\([^)]*\)\.?/, '').replace(/^spec\./, ''),
  }));
  return new ProblemError({ ...fault, details, message: details.map(sentence).join(' | ') || fault.message });
}
