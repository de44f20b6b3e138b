import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type IncomingHttpHeaders } from 'node:http';
import { parseEvacuationId, parseHostName, unwrap, type Clock } from '#kernel';
import { isOver } from '#domain';
import {
  type EvacuationDescription,
  type EvacuationView,
  type ListOf,
  type WriteResult,
} from '#contracts/http';
import { asOf } from '../as-of.js';
import { writeMeta } from '../http/meta.js';
import { CLOCK, FOLLOWER, type ClusterFollower } from '../ports.js';
import { evacuationDescription, evacuationView } from '../views/evacuations.js';
import { page } from '../views/page.js';
import { WriteService } from '../writes/write.service.js';
import { AbortEvacuationDto, EvacuateDto, EvacuationQuery, WaitQuery } from './dto.js';
import { found } from './lookup.js';

@Controller('v1')
export class EvacuationsController {
  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(WriteService) private readonly writes: WriteService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('evacuations')
  list(@Query() query: EvacuationQuery): ListOf<EvacuationView> {
    const state = asOf(this.follower);
    const { host, active } = query;
    const wanted = [...state.evacuations.values()].filter(
      (e) => (host === undefined || e.host === host) && (active === undefined || isOver(e) !== active),
    );
    return page(
      state,
      wanted,
      (e) => e.id,
      query,
      (e) => evacuationView(state, e, this.clock.now()),
    );
  }

  @Get('evacuations/:id')
  one(@Param('id') id: string): EvacuationDescription {
    const { state } = this.follower;
    const e = found(state.evacuations.get(id as never), 'evacuation', id);
    return evacuationDescription(state, e, this.clock.now());
  }

  @Post('hosts/:name/evacuate')
  @HttpCode(200)
  start(
    @Param('name') name: string,
    @Body() body: EvacuateDto,
    @Query() query: WaitQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const host = unwrap(parseHostName(name, 'name'));
    const to = body.to?.map((other, i) => unwrap(parseHostName(other, `to[${i}]`)));
    const { parallel, attempts } = body;
    const reason = body.reason ?? query.reason;
    const command = {
      type: 'StartEvacuation',
      host,
      ...(to === undefined ? {} : { to }),
      ...(parallel === undefined ? {} : { parallel }),
      ...(attempts === undefined ? {} : { attempts }),
      ...(reason === undefined ? {} : { reason }),
    } as const;
    return this.writes.run(command, writeMeta(headers, query.wait, reason));
  }

  @Post('evacuations/:id/abort')
  @HttpCode(200)
  abort(
    @Param('id') id: string,
    @Body() body: AbortEvacuationDto,
    @Query() query: WaitQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const evacuation = unwrap(parseEvacuationId(id));
    const given = body.reason ?? query.reason;
    const meta = writeMeta(headers, query.wait, given);
    const { abortRunning } = body;
    const command = {
      type: 'AbortEvacuation',
      evacuation,
      reason: given ?? `asked for by ${meta.actor}`,
      ...(abortRunning === undefined ? {} : { abortRunning }),
    } as const;
    return this.writes.run(command, meta);
  }
}
