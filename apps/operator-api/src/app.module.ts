import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { type Clock } from '#kernel';
import { HealthRegistry } from '#platform';
import { Registry } from 'prom-client';
import { EventFeed } from './events/event-feed.js';
import { History } from './live/history.js';
import { LiveStore } from './live/live-store.js';
import {
  CLOCK,
  FOLLOWER,
  GATEWAY,
  LOG,
  RULES,
  type ClusterFollower,
  type ClusterRules,
  type CommandGateway,
  type Log,
} from './ports.js';
import { LedgerAuditService } from './replay/ledger-audit.service.js';
import { ReplayService } from './replay/replay.service.js';
import { ApplyController } from './routes/apply.controller.js';
import { CountersController } from './routes/counters.controller.js';
import { EvacuationsController } from './routes/evacuations.controller.js';
import { EventsController } from './routes/events.controller.js';
import { LogController } from './routes/log.controller.js';
import { MigrationsController } from './routes/migrations.controller.js';
import { PortsController } from './routes/ports.controller.js';
import { ResourcesController } from './routes/resources.controller.js';
import { RuleLogController } from './routes/rule-log.controller.js';
import { StatsController } from './routes/stats.controller.js';
import { MetaController, RevisionsController, StatusController } from './routes/status.controller.js';
import { WriteService } from './writes/write.service.js';

/** What the application is made of; a spec gives a log in memory and a gateway that decides on the spot. */
export interface Parts {
  readonly follower: ClusterFollower;
  readonly log: Log;
  readonly rules: ClusterRules;
  readonly gateway: CommandGateway;
  readonly live: LiveStore;
  readonly history: History;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly health: HealthRegistry;
  readonly metrics: Registry;
}

class Closer implements OnApplicationShutdown {
  constructor(private readonly parts: Parts) {}
  async onApplicationShutdown(): Promise<void> {
    this.parts.feed.close();
    await this.parts.follower.close();
  }
}

export const CONTROLLERS = [
  ApplyController,
  ResourcesController,
  PortsController,
  CountersController,
  MigrationsController,
  EvacuationsController,
  StatsController,
  RuleLogController,
  EventsController,
  LogController,
  StatusController,
  RevisionsController,
  MetaController,
];

@Module({})
export class OperatorApiModule {
  static of(parts: Parts): DynamicModule {
    return {
      module: OperatorApiModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: FOLLOWER, useValue: parts.follower },
        { provide: LOG, useValue: parts.log },
        { provide: RULES, useValue: parts.rules },
        { provide: GATEWAY, useValue: parts.gateway },
        { provide: CLOCK, useValue: parts.clock },
        { provide: LiveStore, useValue: parts.live },
        { provide: History, useValue: parts.history },
        { provide: EventFeed, useValue: parts.feed },
        { provide: HealthRegistry, useValue: parts.health },
        { provide: Registry, useValue: parts.metrics },
        { provide: Closer, useFactory: () => new Closer(parts) },
        WriteService,
        ReplayService,
        LedgerAuditService,
      ],
    };
  }
}
