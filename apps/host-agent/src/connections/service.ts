import {
  decodeNotice,
  othersHere,
  slotKey,
  type Compiled,
  type CompiledBinding,
  type Desired,
  type KeepsState,
} from '#compiler';
import { parseConnections, type PortDocument } from '#contracts';
import { type DriverEvent, type Observation } from '#openflow';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';
import { Arriving, type Others } from './arriving.js';
import { type ConnectionsChannel } from './channel.js';
import { Leaving } from './leaving.js';

/** What was told of bindings that no document speaks of (yet, or any more) is kept this long. */
const KEPT_MS = 30_000;
const MOST_ARRIVING = 1_024;

export const connections =
  (channel: ConnectionsChannel): MakeService =>
  (host) =>
    new ConnectionService(host, channel);

/** Brings what conntrack knows of a port that moves from the one host to the other: both are this service. */
class ConnectionService implements AgentService {
  readonly #leaving = new Map<string, Leaving>();
  readonly #arriving = new Map<string, Arriving>();
  #standby: ReadonlySet<string> = new Set();
  readonly #senseless = new Set<string>();
  readonly #timers = new Set<() => void>();
  readonly #unhear: () => void;

  constructor(
    private readonly host: ServiceHost,
    private readonly channel: ConnectionsChannel,
  ) {
    this.#unhear = channel.hear((key, data) => this.#heard(key, data));
  }

  carriedOut(compiled: Compiled, _have: Observation, desired: Desired): void {
    const documents = new Map(desired.ports.map((doc) => [slotKey(doc.port, doc.epoch), doc]));
    const [leaving, standby] = [new Set<string>(), new Set<string>()];
    for (const binding of compiled.bindings) {
      const key = slotKey(binding.port, binding.epoch);
      const doc = documents.get(key);
      if (doc === undefined || binding.state === undefined) continue;
      if (doc.role === 'standby') standby.add(key);
      const arriving = standby.has(key) ? this.#of(key) : this.#arriving.get(key);
      arriving?.at(binding, othersOf(binding.state, doc, desired));
      if (doc.role !== 'active' || doc.handover === null) continue;
      leaving.add(key);
      this.#leaves(key, doc, binding);
    }
    for (const [key, one] of this.#leaving)
      if (!leaving.has(key)) {
        one.stop();
        this.#leaving.delete(key);
      }
    // The last of what is told may come a little later than the guest.
    for (const key of this.#standby) if (!standby.has(key)) this.#forgetLater(key);
    this.#standby = standby;
  }

  /** The frame that turns a port away comes before any document that says so, and takes its connections along. */
  noticed(event: DriverEvent): void {
    if (event.kind !== 'packet-in') return;
    const notice = decodeNotice(event.userdata);
    if (!notice.ok || notice.value.kind !== 'turned') return;
    const { slot, epoch } = notice.value;
    const turned = this.host.compiled()?.bindings.find((b) => b.slot === slot && b.epoch === epoch);
    if (turned !== undefined) void this.#leaving.get(slotKey(turned.port, turned.epoch))?.last();
  }

  close(): void {
    this.#unhear();
    for (const cancel of this.#timers) cancel();
    for (const one of [...this.#leaving.values(), ...this.#arriving.values()]) one.stop();
  }

  #leaves(key: string, { port, handover }: PortDocument, binding: CompiledBinding): void {
    const known = this.#leaving.get(key);
    if (binding.state === undefined || handover === null) return;
    if (known?.departure.epoch === handover.epoch) return known.follow(binding.state);
    known?.stop();
    const departure = { port, epoch: handover.epoch };
    const leaving = new Leaving(departure, binding.state, this.host, (message) => this.channel.tell(message));
    this.#leaving.set(key, leaving);
    if (binding.open) leaving.start();
    // Turned away before this run of the agent.
    else void leaving.last();
  }

  #heard(key: string, data: Uint8Array): void {
    const message = parseConnections(data);
    if (message.ok && slotKey(message.value.port, message.value.epoch) === key)
      return this.#of(key)?.hear(message.value);
    if (this.#senseless.has(key) || this.#senseless.size >= MOST_ARRIVING) return;
    // Said once of a binding: there may be many.
    this.#senseless.add(key);
    const reason = message.ok ? 'it is for another binding' : message.error.message;
    this.host.log.warn({ binding: key, reason }, 'what another host said of connections makes no sense');
  }

  #of(key: string): Arriving | undefined {
    const known = this.#arriving.get(key);
    if (known !== undefined || this.#arriving.size >= MOST_ARRIVING) return known;
    const made = new Arriving(this.host);
    this.#arriving.set(key, made);
    this.#forgetLater(key);
    return made;
  }

  #forgetLater(key: string): void {
    const cancel = this.host.clock.after(KEPT_MS, () => {
      this.#timers.delete(cancel);
      if (!this.#standby.has(key)) this.#arriving.delete(key);
    });
    this.#timers.add(cancel);
  }
}

function othersOf(state: KeepsState, doc: PortDocument, { switches, sets }: Desired): Others {
  const on = switches.find((it) => it.switch === doc.switch);
  if (on === undefined) return { in: [], out: [] };
  return { in: othersHere(state, 'in', on, sets), out: othersHere(state, 'out', on, sets) };
}
