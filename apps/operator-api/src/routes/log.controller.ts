import { Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type LedgerAudit, type ReplayReport } from '#contracts/http';
import { exportLog } from '../replay/export.js';
import { LedgerAuditService } from '../replay/ledger-audit.service.js';
import { ReplayService } from '../replay/replay.service.js';
import { FOLLOWER, LOG, type ClusterFollower, type Log } from '../ports.js';
import { type HttpRequest, type HttpResponse } from '../http/send.js';
import { ExportQuery, VerifyQuery } from './dto.js';

@Controller('v1')
export class LogController {
  constructor(
    @Inject(LOG) private readonly log: Log,
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(ReplayService) private readonly replays: ReplayService,
    @Inject(LedgerAuditService) private readonly audits: LedgerAuditService,
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

  /** Each line as soon as it is known; what goes wrong on the way is the last of them. */
  @Get('verify/ledgers')
  async verify(@Query() query: VerifyQuery, @Res() response: HttpResponse): Promise<void> {
    const lines = this.audits.live(query.asOf);
    const first = await lines.next();
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    if (first.done === true) return void response.end();
    await pipeline(Readable.from(ndjson(whole(first.value, lines))), response);
  }

  @Post('verify/ledgers')
  @HttpCode(200)
  verifyFile(@Req() request: HttpRequest): Promise<LedgerAudit> {
    return this.audits.file(request);
  }

  @Post('replay')
  @HttpCode(200)
  replay(@Req() request: HttpRequest): Promise<ReplayReport> {
    return this.replays.replay(request);
  }
}

async function* ndjson(lines: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}

async function* whole<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}
