import { Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ReplayReport } from '#contracts/http';
import { exportLog } from '../replay/export.js';
import { ReplayService } from '../replay/replay.service.js';
import { FOLLOWER, LOG, type ClusterFollower, type Log } from '../ports.js';
import { type HttpRequest, type HttpResponse } from '../http/send.js';
import { ExportQuery } from './dto.js';

@Controller('v1')
export class LogController {
  constructor(
    @Inject(LOG) private readonly log: Log,
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(ReplayService) private readonly replays: ReplayService,
  ) {}

  /** A fault in the middle breaks the connection off: a client must not take half a log for a whole one. */
  @Get('log/export')
  async export(@Query() query: ExportQuery, @Res() response: HttpResponse): Promise<void> {
    const lines = exportLog(this.log, this.follower, query);
    const first = await lines.next();
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    if (first.done === true) return void response.end();
    await pipeline(Readable.from(whole(first.value, lines)), response);
  }

  @Post('replay')
  @HttpCode(200)
  replay(@Req() request: HttpRequest): Promise<ReplayReport> {
    return this.replays.replay(request);
  }
}

async function* whole(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
