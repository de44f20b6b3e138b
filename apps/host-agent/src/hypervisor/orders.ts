import { messageOf } from '#kernel';
import { type Fact } from '#domain';
import { type HostDocument, type MigrationOrder, type PortDocument } from '#contracts';
import { type Hypervisor, type MovingGuest } from './hypervisor.js';
import { moveKey, wordOn } from './moves.js';

/**
 * Carries out the migration orders of the host document. They are level-triggered: an order is given to the
 * hypervisor once per (migration, attempt, action), and again after a restart of the agent; the hypervisor looks
 * before it acts.
 */
export class Orders {
  readonly #given = new Set<string>();

  constructor(
    private readonly hypervisor: Hypervisor,
    private readonly record: (fact: Fact) => void,
    private readonly log: { warn(fields: object, message: string): void },
  ) {
    hypervisor.watch((outcome) => record({ type: 'HypervisorMigration', ...outcome }));
  }

  /** The log came back older: what the hypervisor said of its orders may be lost. Asked again, it says how they stand. */
  giveAgain(): void {
    this.#given.clear();
  }

  follow({ host, ports }: Followed): void {
    const orders = host.migrations;
    // An order that is no longer there was answered, and is not given again.
    const now = new Set(orders.map(keyOf));
    for (const key of this.#given) if (!now.has(key)) this.#given.delete(key);
    this.hypervisor.standing?.(orders);
    this.hypervisor.expects?.({ arrivals: host.arrivals ?? [], moving: movingGuests(ports) });
    for (const order of orders) {
      const key = keyOf(order);
      if (this.#given.has(key)) continue;
      this.#given.add(key);
      if (!this.hypervisor.drives) {
        this.#refuse(order);
        continue;
      }
      const doing =
        order.action === 'start'
          ? this.hypervisor.migrate(order, order.destination)
          : this.hypervisor.abort(order);
      doing.catch((cause: unknown) => this.#failed(order, cause));
    }
  }

  #refuse(order: MigrationOrder): void {
    const reason = 'the hypervisor of this host can’t be asked to migrate; start the migration there';
    this.record({ type: 'HypervisorMigration', ...wordOn(order, 'failed', reason) });
  }

  #failed(order: MigrationOrder, cause: unknown): void {
    const reason = messageOf(cause);
    this.log.warn({ ...order, reason }, 'the hypervisor did not take an order');
    this.record({ type: 'HypervisorMigration', ...wordOn(order, 'unknown', reason) });
  }
}

interface Followed {
  readonly host: Pick<HostDocument, 'migrations' | 'arrivals'>;
  readonly ports: readonly PortDocument[];
}

/** Each guest once, however many ports it has. */
function movingGuests(ports: readonly PortDocument[]): readonly MovingGuest[] {
  const found = new Map<string, MovingGuest>();
  for (const { handover, connectee, role } of ports) {
    if (handover === null || connectee === null || role === 'retired') continue;
    const { migration } = handover;
    found.set(migration, { migration, owner: connectee.owner, from: role === 'active' });
  }
  return [...found.values()];
}

const keyOf = (order: MigrationOrder): string => `${moveKey(order)}/${order.action}`;
