import { Controller, Get, Inject, Param, Query, Res } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { invalid, ProblemError } from '#kernel';
import { type Realised, type Status } from '#contracts/http';
import { poisonProblem, stateDigest } from '#event-store';
import { currentCorrelation, HealthRegistry } from '#platform';
import { stateCodec } from '#runtime';
import { Registry } from 'prom-client';
import { type HttpResponse } from '../http/send.js';
import { asOf } from '../as-of.js';
import { LiveStore } from '../live/live-store.js';
import { openApiDocument } from '../openapi/document.js';
import {
  FOLLOWER,
  GATEWAY,
  RULES,
  type ClusterFollower,
  type ClusterRules,
  type CommandGateway,
} from '../ports.js';
import { VERSION } from '../version.js';
import { statusView } from '../views/status.js';
import { WriteService } from '../writes/write.service.js';
import { RealisedQuery, StatusQuery } from './dto.js';

@Controller()
export class StatusController {
  private digest: { readonly state: unknown; readonly value: string } | undefined;

  constructor(
    @Inject(FOLLOWER) private readonly follower: ClusterFollower,
    @Inject(GATEWAY) private readonly gateway: CommandGateway,
    @Inject(LiveStore) private readonly live: LiveStore,
    @Inject(RULES) private readonly rules: ClusterRules,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  @Get('v1/status')
  async status(@Query() query: StatusQuery): Promise<Status> {
    const manager = await this.gateway.manager(currentCorrelation() ?? randomUUID());
    const { status } = this.follower;
    return statusView({
      state: asOf(this.follower),
      live: this.live,
      manager: manager.ok ? manager.value : null,
      digest: query.digest === false ? null : this.digestOf(),
      version: VERSION,
      follows: status === 'live',
      problem: manager.ok && status === 'live' ? null : await this.problem(),
    });
  }

  private problem(): Promise<string | null> | string {
    const { status, poison } = this.follower;
    if (poison !== undefined) return poisonProblem(poison).message;
    return status === 'live' ? this.obstacle() : `the log is ${status}`;
  }

  /** Why nobody may lead, as far as it can be seen from here; null: it can't. */
  private async obstacle(): Promise<string | null> {
    const { nats, store } = (await this.health.readiness()).checks;
    const missing = [nats, store].find((check) => check?.ok === false);
    return missing === undefined ? null : `the message server: ${missing.reason ?? 'is not well'}`;
  }

  /** Kept as long as the state is the same one. */
  private digestOf(): string {
    const { state } = this.follower;
    if (this.digest?.state !== state)
      this.digest = { state, value: stateDigest(state, stateCodec, this.rules.hash) };
    return this.digest.value;
  }
}

@Controller('v1/revisions')
export class RevisionsController {
  constructor(@Inject(WriteService) private readonly writes: WriteService) {}

  @Get(':revision/realised')
  realised(@Param('revision') text: string, @Query() query: RealisedQuery): Promise<Realised> {
    if (!/^\d{1,15}$/.test(text)) {
      throw new ProblemError(invalid('revision', text, 'is not a revision', 'a whole number of 0 or more'));
    }
    return this.writes.realised(Number(text), query.timeout ?? 30, currentCorrelation() ?? randomUUID());
  }
}

@Controller()
export class MetaController {
  constructor(
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(Registry) private readonly metrics: Registry,
  ) {}

  @Get('openapi.json')
  openapi(): object {
    return openApiDocument();
  }

  /** Where those look who know the other paths. */
  @Get('v1/openapi.json')
  openapiOfV1(): object {
    return openApiDocument();
  }

  @Get('health/live')
  alive(): object {
    return { ok: true };
  }

  @Get('health/ready')
  async ready(@Res() response: HttpResponse): Promise<void> {
    const readiness = await this.health.readiness();
    response.writeHead(readiness.ok ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(readiness));
  }

  @Get('metrics')
  async prometheus(@Res() response: HttpResponse): Promise<void> {
    const text = await this.metrics.metrics();
    response.writeHead(200, { 'content-type': this.metrics.contentType }).end(text);
  }
}
