import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type IncomingHttpHeaders } from 'node:http';
import { parseHostName, parseMigrationId, unwrap, type Clock } from '#kernel';
import {
  type ListOf,
  type MigrationDescription,
  type MigrationView,
  type WriteResult,
} from '#contracts/http';
import { writeMeta } from '../http/meta.js';
import { asOf } from '../as-of.js';
import { CLOCK, FOLLOWER, type ClusterFollower } from '../ports.js';
import { migrationDescription } from '../views/migration.js';
import { page } from '../views/page.js';
import { isFinished, migrationView } from '../views/resources.js';
import { WriteService } from '../writes/write.service.js';
import { AbortDto, MigrateDto, MigrationQuery, WaitQuery } from './dto.js';
import { found } from './lookup.js';

@Controller('v1/migrations')
export class MigrationsController {
  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(WriteService) private readonly writes: WriteService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  list(@Query() query: MigrationQuery): ListOf<MigrationView> {
    const state = asOf(this.follower);
    const { owner, host, phase, active } = query;
    const since = query.since === undefined ? -Infinity : Date.parse(query.since);
    const wanted = [...state.migrations.values()].filter(
      (m) =>
        (owner === undefined || m.owner === owner) &&
        (host === undefined || m.source === host || m.destination === host) &&
        (phase === undefined || m.phase === phase) &&
        (m.history[0]?.at ?? 0) >= since &&
        (active === undefined || isFinished(m) !== active),
    );
    return page(
      state,
      wanted,
      (m) => m.id,
      query,
      (m) => migrationView(m, this.clock.now()),
    );
  }

  @Get(':id')
  one(@Param('id') id: string): MigrationDescription {
    const { state } = this.follower;
    const m = found(state.migrations.get(id as never), 'migration', id);
    return migrationDescription(state, m, this.clock.now());
  }

  @Post()
  @HttpCode(200)
  start(
    @Body() body: MigrateDto,
    @Query() query: WaitQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const destination = unwrap(parseHostName(body.destination, 'destination'));
    const reason = body.reason ?? query.reason;
    const why = reason === undefined ? {} : { reason };
    const command = { type: 'StartMigration', owner: body.owner, destination, ...why } as const;
    return this.writes.run(command, writeMeta(headers, query.wait, reason));
  }

  @Post(':id/abort')
  @HttpCode(200)
  abort(
    @Param('id') id: string,
    @Body() body: AbortDto,
    @Query() query: WaitQuery,
    @Headers() headers: IncomingHttpHeaders,
  ): Promise<WriteResult> {
    const migration = unwrap(parseMigrationId(id));
    const given = body.reason ?? query.reason;
    const meta = writeMeta(headers, query.wait, given);
    return this.writes.run(
      { type: 'AbortMigration', migration, reason: given ?? `asked for by ${meta.actor}` },
      meta,
    );
  }
}
