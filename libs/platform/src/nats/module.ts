import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { PortolanNatsClient } from '../transport/client.js';
import { NatsLink } from './link.js';

class LinkCloser implements OnApplicationShutdown {
  constructor(private readonly link: NatsLink) {}
  onApplicationShutdown(): Promise<void> {
    return this.link.close();
  }
}

/** Gives `NatsLink` and `PortolanNatsClient` to the whole application, and closes the link last. */
@Module({})
export class NatsModule {
  /** The link is made by the service's main, which needs it for the transport before Nest stands. */
  static forLink(link: NatsLink): DynamicModule {
    return {
      module: NatsModule,
      global: true,
      providers: [
        { provide: NatsLink, useValue: link },
        { provide: PortolanNatsClient, useFactory: () => new PortolanNatsClient(link) },
        { provide: LinkCloser, useFactory: () => new LinkCloser(link) },
      ],
      exports: [NatsLink, PortolanNatsClient],
    };
  }
}
