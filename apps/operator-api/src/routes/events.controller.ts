import { Controller, Get, Headers, Inject, Query, Res, type OnApplicationShutdown } from '@nestjs/common';
import { invalid, problem, ProblemError } from '#kernel';
import { type EventList } from '#contracts/http';
import { EventFeed } from '../events/event-feed.js';
import { EventStream } from '../events/sse.js';
import { type HttpResponse } from '../http/send.js';
import { FOLLOWER, type ClusterFollower } from '../ports.js';
import { EventsFilter, EventsQuery } from './dto.js';

const DEFAULT_LIMIT = 100;
const MAX_STREAMS = 500;

@Controller('v1/events')
export class EventsController implements OnApplicationShutdown {
  private readonly streams = new Set<EventStream>();

  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(EventFeed) private readonly feed: EventFeed,
  ) {}

  @Get()
  async list(@Query() query: EventsQuery): Promise<EventList> {
    const { from, to, type, object, quiet, limit = DEFAULT_LIMIT } = query;
    const { items, next } = await this.feed.query({ from, to, type, object, quiet, limit });
    const { lineage, revision } = this.follower;
    const first = from ?? items[0]?.revision ?? revision;
    return { lineage: lineage ?? null, revision, from: first, next, items };
  }

  @Get('stream')
  async stream(
    @Query() query: EventsFilter,
    @Headers('last-event-id') lastId: string | undefined,
    @Res() response: HttpResponse,
  ): Promise<void> {
    if (this.streams.size >= MAX_STREAMS) {
      throw new ProblemError(problem('unavailable', `${MAX_STREAMS} readers follow the events already`));
    }
    const after = this.startAfter(lastId);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const at = { lineage: this.follower.lineage ?? null, revision: after };
    const stream = new EventStream(this.feed, response, query, at, () => this.streams.delete(stream));
    this.streams.add(stream);
    await stream.begin();
  }

  onApplicationShutdown(): void {
    for (const stream of [...this.streams]) stream.close();
  }

  /** Who last heard of another lineage has missed all of this one; so has who is ahead of the log. */
  private startAfter(lastId: string | undefined): number {
    const { lineage, revision } = this.follower;
    if (lastId === undefined) return revision;
    const parts = /^(?:([0-9a-fA-F-]{36}):)?(\d{1,15})$/.exec(lastId);
    if (parts === null) {
      const expected = '<lineage>:<revision>, or a revision alone';
      throw new ProblemError(invalid('Last-Event-ID', lastId, 'is not the id of an event', expected));
    }
    const wanted = Number(parts[2]);
    return wanted > revision || (parts[1] !== undefined && parts[1] !== lineage) ? 0 : wanted;
  }
}
