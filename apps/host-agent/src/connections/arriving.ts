import { enterAs, seenBy, type CompiledBinding } from '#compiler';
import { type Action } from '#openflow';
import { type CarriedConnection, type ConnectionsMessage } from '#contracts';
import { type ServiceHost } from '../service.js';
import { beginningOf, type Beginning } from './frames.js';
import { MOST_OF_A_PORT } from './leaving.js';
import { keyOf } from './told.js';

type Host = Pick<ServiceHost, 'driver' | 'clock' | 'log'>;

/** Frames on their way to the switch. */
const AT_ONCE = 64;
/** What may be forgotten while the guest is still on its way is entered anew: the switch keeps an unanswered one 30 s. */
const ANEW_MS = 15_000;
const TCP = 6;

interface Told {
  readonly connection: CarriedConnection;
  /** When it was entered, monotonic; null: it is to be. */
  readonly at: number | null;
}

/** Has the connections of one arriving port entered, as far as its rules here let them begin. */
export class Arriving {
  readonly #told = new Map<string, Told>();
  #binding: CompiledBinding | null = null;
  #working: Promise<void> = Promise.resolve();
  #takesTcp = true;

  constructor(private readonly host: Host) {}

  /** Where the port stands; by other rules, all are asked anew. */
  at(binding: CompiledBinding): void {
    const before = this.#binding?.state;
    this.#binding = binding;
    if (before !== undefined && before.marks === binding.state?.marks) return;
    for (const [key, { connection }] of this.#told) this.#told.set(key, { connection, at: null });
    this.#work(() => this.#enterDue());
  }

  hear({ known, gone }: ConnectionsMessage): void {
    for (const connection of known) {
      const key = keyOf(connection);
      const before = this.#told.get(key);
      if (before === undefined && this.#told.size >= MOST_OF_A_PORT) continue;
      const at = before?.connection.opening === connection.opening ? (before?.at ?? null) : null;
      this.#told.set(key, { connection, at });
    }
    const over = gone.filter((connection) => this.#told.delete(keyOf(connection)));
    this.#work(async () => {
      await this.#end(over);
      await this.#enterDue();
    });
  }

  stop(): void {
    this.#binding = null;
  }

  #work(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((cause: unknown) => {
      this.host.log.warn({ reason: String(cause) }, 'connections of an arriving port can’t be entered');
    });
  }

  async #enterDue(): Promise<void> {
    const now = this.host.clock.monotonic();
    const due = [...this.#told].filter(([, told]) => isDue(told, now));
    if (this.#binding === null || due.length === 0) return;
    if (due.some(([, { connection }]) => connection.protocol === TCP)) await this.#openTcp();
    for (const [key, { connection }] of due)
      if (this.#told.has(key)) this.#told.set(key, { connection, at: now });
    await this.#each(
      due.map(([, { connection }]) => connection),
      (begun, { bridge, state }, way) => [
        this.#send(bridge, way, begun.first),
        ...begun.then.map((frame) => this.#send(bridge, seenBy(state.zone), frame)),
      ],
    );
  }

  async #end(over: readonly CarriedConnection[]): Promise<void> {
    await this.#each(over, ({ end }, { bridge, state }) =>
      end === undefined ? [] : [this.#send(bridge, seenBy(state.zone), end)],
    );
  }

  /** In their order, a few at a time. */
  async #each(
    connections: readonly CarriedConnection[],
    send: (begun: Beginning, binding: Stateful, way: readonly Action[]) => readonly Promise<void>[],
  ): Promise<void> {
    const binding = this.#binding;
    if (binding === null || !isStateful(binding)) return;
    const ways = { in: enterAs(binding, 'in'), out: enterAs(binding, 'out') };
    for (let at = 0; at < connections.length && this.#binding !== null; at += AT_ONCE)
      await Promise.all(
        connections.slice(at, at + AT_ONCE).flatMap((connection) => {
          if (connection.protocol === TCP && !this.#takesTcp) return [];
          const begun = beginningOf(connection, binding.state);
          return begun === null ? [] : send(begun, binding, ways[connection.way]);
        }),
      );
  }

  #send(bridge: string, actions: readonly Action[], frame: Uint8Array): Promise<void> {
    return this.host.driver.packetOut(bridge, actions, frame);
  }

  /** Nobody knows the numbers that TCP is at: a switch that asks for them would take every frame for a forgery. */
  async #openTcp(): Promise<void> {
    try {
      await this.host.driver.ignoreSequences();
      this.#takesTcp = true;
    } catch (cause) {
      this.#takesTcp = false;
      this.host.log.warn({ reason: String(cause) }, 'TCP connections of an arriving port do not come along');
    }
  }
}

type Stateful = CompiledBinding & { readonly state: NonNullable<CompiledBinding['state']> };
const isStateful = (binding: CompiledBinding): binding is Stateful => binding.state !== undefined;

const isDue = ({ connection, at }: Told, now: number): boolean =>
  at === null || (connection.protocol !== TCP && now - at >= ANEW_MS);
