import { Controller, Get, Inject, Query } from '@nestjs/common';
import { type RuleLogList } from '#contracts/http';
import { LiveStore } from '../live/live-store.js';
import { iso } from '../views/time.js';
import { RuleLogQuery } from './dto.js';

const DEFAULT_LIMIT = 100;

@Controller('v1/logs')
export class RuleLogController {
  constructor(@Inject(LiveStore) private readonly live: LiveStore) {}

  @Get()
  list(@Query() { limit = DEFAULT_LIMIT, ...query }: RuleLogQuery): RuleLogList {
    const { ruleLog } = this.live;
    const items = ruleLog.query({ ...query, limit }).map((line) => ({ ...line, time: iso(line.time) }));
    return { last: ruleLog.last, more: ruleLog.more, items };
  }
}
