import { type Msg } from '@nats-io/transport-node';
import { encodeBytes, SUBJECTS, type ConnectionsMessage } from '#contracts';
import { type NatsLink } from '#platform';

/** The way from one host to another. What can't be said now is not said later: by then it is not true any more. */
export interface ConnectionsChannel {
  tell(message: ConnectionsMessage): void;
  /** `key` is the binding that it came for, `<port>@<epoch>`. Returns what ends it. */
  hear(listener: (key: string, data: Uint8Array) => void): () => void;
}

/** By way of the managers, who know which host a port goes to. */
export class NatsConnections implements ConnectionsChannel {
  constructor(
    private readonly host: string,
    private readonly link: Pick<NatsLink, 'current' | 'connection'>,
  ) {}

  tell(message: ConnectionsMessage): void {
    const { port, epoch } = message;
    this.link.current()?.publish(SUBJECTS.connections(this.host, port, epoch), encodeBytes(message));
  }

  hear(listener: (key: string, data: Uint8Array) => void): () => void {
    let end = (): void => undefined;
    let isOver = false;
    const callback = (error: Error | null, message: Msg): void => {
      if (error !== null) return;
      const [port = '', epoch = ''] = message.subject.split('.').slice(3);
      listener(`${port}@${epoch}`, message.data);
    };
    // A link that is closed before it was ever open brings nothing.
    void this.link.connection().then(
      (nc) => {
        if (isOver) return;
        const subscription = nc.subscribe(SUBJECTS.liveConnections(this.host, '*', '*'), { callback });
        end = () => subscription.unsubscribe();
      },
      () => undefined,
    );
    return () => {
      isOver = true;
      end();
    };
  }
}
