import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type IncomingHttpHeaders } from 'node:http';
import { problem, ProblemError, type PortId } from '#kernel';
import { type PortHistory, type WriteResult } from '#contracts/http';
import { asOf } from '../as-of.js';
import { writeMeta } from '../http/meta.js';
import { History } from '../live/history.js';
import { LiveStore } from '../live/live-store.js';
import { FOLLOWER, type ClusterFollower } from '../ports.js';
import { portTotals, untold } from '../views/ledger.js';
import { WriteService } from '../writes/write.service.js';
import { ResetDto, WaitQuery } from './dto.js';
import { found } from './lookup.js';

@Controller('v1/ports')
export class CountersController {
  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(WriteService) private readonly writes: WriteService,
    @Inject(LiveStore) private readonly live: LiveStore,
    @Inject(History) private readonly history: History,
  ) {}

  @Get(':id/history')
  of(@Param('id') id: string): PortHistory {
    return this.history.of(this.port(id).id);
  }

  /** From what the counters are at this moment; where a host does not tell them, nobody could say later what was left out. */
  @Post(':id/reset-counters')
  @HttpCode(200)
  reset(
    @Param('id') id: string,
    @Body() { reason }: ResetDto,
    @Query() query: WaitQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const port = this.port(id);
    const silent = untold(port, this.live);
    if (silent.length > 0) {
      const text = `what ${port.id} counted is not known now: ${silent.join(' and ')} does not tell its counters`;
      throw new ProblemError(problem('unavailable', text));
    }
    const at = portTotals(port, this.live);
    return this.writes.run(
      { type: 'ResetCounters', port: port.id, at, reason },
      writeMeta(headers, query.wait, reason),
    );
  }

  private port(id: string) {
    return found(asOf(this.follower).ports.get(id as PortId), 'port', id);
  }
}
