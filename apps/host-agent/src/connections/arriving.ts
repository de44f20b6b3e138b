import { enterAs, seenBy, type CompiledBinding } from '#compiler';
import { type Action } from '#openflow';
import { type CarriedConnection, type ConnectionsMessage } from '#contracts';
import { type ServiceHost } from '../service.js';
import { beginningOf, type Beginning } from './frames.js';
import { MOST_OF_A_PORT } from './leaving.js';
import { keyOf } from './told.js';

type Host = Pick<ServiceHost, 'driver' | 'clock' | 'log'>;

/** Connections on their way to the switch. */
const AT_ONCE = 64;
/** What may be forgotten while the guest is still on its way is entered anew: the switch keeps an unanswered one 30 s. */
const ANEW_MS = 15_000;
const TCP = 6;

type Way = CarriedConnection['way'];

/** MACs that rules may want of the other end, by who began the connection. */
export type Others = Readonly<Record<Way, readonly bigint[]>>;

interface Begun {
  readonly way: Way;
  readonly beginning: Beginning;
  /** As of those whom rules want as the other end. */
  readonly tries: readonly Uint8Array[];
}

interface Told {
  readonly connection: CarriedConnection;
  /** When it was entered, monotonic; null: it is to be. */
  readonly at: number | null;
}

/** Has the connections of one arriving port entered, as far as its rules here let them begin. */
export class Arriving {
  readonly #told = new Map<string, Told>();
  #binding: CompiledBinding | null = null;
  #others: Others = { in: [], out: [] };
  #working: Promise<void> = Promise.resolve();
  #takesTcp = true;

  constructor(private readonly host: Host) {}

  /** Where the port stands; by other rules, all are asked anew. */
  at(binding: CompiledBinding, others: Others): void {
    const before = this.#binding?.state;
    this.#binding = binding;
    this.#others = others;
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
    await this.#inLumps(
      due.map(([, { connection }]) => connection),
      async (begun, binding) => {
        const first = (wanted: Way): Uint8Array[] =>
          // Of anybody last: a rule that asks for nobody has the last word on what passes by two.
          begun.flatMap(({ way, beginning, tries }) => (way === wanted ? [...tries, beginning.first] : []));
        // In this order: what is seen of a connection means something once it is entered.
        await Promise.all([
          this.#send(binding, enterAs(binding, 'in'), first('in')),
          this.#send(binding, enterAs(binding, 'out'), first('out')),
          this.#send(
            binding,
            seenBy(binding.state.zone),
            begun.flatMap(({ beginning }) => beginning.then),
          ),
        ]);
      },
    );
  }

  async #end(over: readonly CarriedConnection[]): Promise<void> {
    await this.#inLumps(over, (begun, binding) =>
      this.#send(
        binding,
        seenBy(binding.state.zone),
        begun.flatMap(({ beginning: { end } }) => end ?? []),
      ),
    );
  }

  /** In their order, some at a time: the switch has more to do. */
  async #inLumps(
    connections: readonly CarriedConnection[],
    work: (begun: readonly Begun[], binding: Stateful) => Promise<void>,
  ): Promise<void> {
    for (let at = 0; at < connections.length; at += AT_ONCE) {
      const binding = this.#binding;
      if (binding === null || !isStateful(binding)) return;
      const begun = connections.slice(at, at + AT_ONCE).flatMap((connection): Begun[] => {
        if (connection.protocol === TCP && !this.#takesTcp) return [];
        const { way } = connection;
        const beginning = beginningOf(connection, binding.state);
        if (beginning === null) return [];
        const tries = this.#others[way].flatMap(
          (mac) => beginningOf(connection, binding.state, mac)?.first ?? [],
        );
        return [{ way, beginning, tries }];
      });
      await work(begun, binding);
    }
  }

  async #send(
    { bridge }: Stateful,
    actions: readonly Action[],
    frames: readonly Uint8Array[],
  ): Promise<void> {
    if (frames.length > 0) await this.host.driver.packetOut(bridge, actions, ...frames);
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
