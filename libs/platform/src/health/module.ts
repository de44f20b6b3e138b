import {
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { HealthRegistry } from './registry.js';
import { HealthServer, type HealthServerOptions } from './server.js';

class HealthLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly server: HealthServer) {}
  async onApplicationBootstrap(): Promise<void> {
    await this.server.listen();
  }
  onApplicationShutdown(): Promise<void> {
    return this.server.close();
  }
}

export interface HealthModuleOptions extends HealthServerOptions {
  /** Label `service` on every metric. */
  readonly service: string;
}

/** Gives `HealthRegistry` and prom-client's `Registry` (one a process, not the library's global one) everywhere. */
@Module({})
export class HealthModule {
  static forRoot(options: HealthModuleOptions): DynamicModule {
    const health = new HealthRegistry();
    const metrics = new Registry();
    metrics.setDefaultLabels({ service: options.service });
    // Its timer wakes the process each time: the usual 10 ms cost an idle agent more than all its work.
    collectDefaultMetrics({ register: metrics, eventLoopMonitoringPrecision: 100 });
    return {
      module: HealthModule,
      global: true,
      providers: [
        { provide: HealthRegistry, useValue: health },
        { provide: Registry, useValue: metrics },
        { provide: HealthServer, useFactory: () => new HealthServer(health, metrics, options) },
        {
          provide: HealthLifecycle,
          inject: [HealthServer],
          useFactory: (server: HealthServer) => new HealthLifecycle(server),
        },
      ],
      exports: [HealthRegistry, Registry, HealthServer],
    };
  }
}
