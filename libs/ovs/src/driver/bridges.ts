import { type Clock } from '#kernel';
import { type DriverEvent, type FlowChange, type FlowUpdate, type OfMessage } from '#openflow';
import { noBridge } from '../flow/changes.js';
import { OfConnection } from '../flow/of-connection.js';
import { type OfSession } from '../flow/of-session.js';
import { type RowCache } from '../ovsdb/cache.js';
import { type Endpoints } from './config.js';
import { type Ownership } from './ownership.js';
import { TakenAlong } from './taken-along.js';

/** One OpenFlow connection to each bridge that bears our mark, following the database. */
export class Bridges {
  private readonly connections = new Map<string, OfConnection>();

  constructor(
    private readonly endpoints: Endpoints,
    private readonly clock: Clock,
    private readonly emit: (event: DriverEvent) => void,
    private readonly ownership: Ownership,
  ) {}

  /** Connects to bridges that came, leaves those that went. */
  follow(cache: RowCache): void {
    this.ownership.note(cache);
    const ours = new Set(
      [...cache.rows('Bridge')].flatMap(([uuid, row]) => (this.ownership.has(uuid, row) ? [row.name] : [])),
    );
    for (const [name, connection] of this.connections) {
      if (ours.has(name)) continue;
      this.connections.delete(name);
      connection.close();
      this.emit({ kind: 'down', bridge: name, reason: 'the bridge is gone' });
    }
    for (const name of ours) if (!this.connections.has(name)) this.connect(name);
  }

  get names(): readonly string[] {
    return [...this.connections.keys()];
  }

  /** The conversation with a bridge of ours. Rejects as `not-found`, or `unavailable` when it does not come up. */
  async session(bridge: string, waitMs?: number): Promise<OfSession> {
    const connection = this.connections.get(bridge);
    if (!connection) throw noBridge(bridge);
    return connection.current(waitMs);
  }

  /** Sets what is no part of a bridge's row. */
  async configure(bridge: string): Promise<void> {
    await this.connections.get(bridge)?.configure();
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  private connect(bridge: string): void {
    const takenAlong = new TakenAlong();
    const connection = new OfConnection(
      bridge,
      () => this.endpoints.mgmt(bridge),
      {
        up: () => {
          takenAlong.forget();
          this.emit({ kind: 'up', bridge });
        },
        down: (reason) => this.emit({ kind: 'down', bridge, reason }),
        packetIn: ({ table, cookie, metadata, userdata, frame }) =>
          this.emit({ kind: 'packet-in', bridge, table, cookie, metadata, userdata, frame }),
        flows: (updates) => {
          for (const event of takenAlong.gone(bridge, updates)) this.emit(event);
          this.tell(bridge, updates);
        },
        port: () => this.emit({ kind: 'interfaces' }),
        forwarded: (message) => {
          if (!takenAlong.repeats(message)) this.forwarded(bridge, message);
        },
      },
      this.clock,
    );
    this.connections.set(bridge, connection);
    connection.start();
  }

  private forwarded(bridge: string, message: OfMessage): void {
    if (message.kind === 'group-mod') this.emit({ kind: 'groups', bridge, mods: [message] });
    else if (message.kind === 'meter-mod') this.emit({ kind: 'meters', bridge, mods: [message] });
    // A change in words that the model has not: only a whole reading tells what stands.
    else this.emit({ kind: 'up', bridge });
  }

  private tell(bridge: string, updates: readonly FlowUpdate[]): void {
    const changes = updates.flatMap((update) => asChange(update));
    if (changes.length > 0) this.emit({ kind: 'flows', bridge, changes });
    // After a lack of buffers, and for a flow that we have no words for, only a whole reading tells the truth.
    if (updates.some(({ event }) => event === 'resumed' || event === 'unreadable'))
      this.emit({ kind: 'up', bridge });
  }
}

function asChange(update: FlowUpdate): readonly FlowChange[] {
  switch (update.event) {
    case 'added':
    case 'modified':
    case 'removed':
      return [{ change: update.event, flow: update.flow }];
    case 'initial':
    case 'own':
    case 'paused':
    case 'resumed':
    case 'unreadable':
      return [];
  }
}
