import { type Lineage, type Revision } from '#kernel';
import { type PortDocument, type SetRef } from '#contracts';
import { slotKey, type Compiled, type Desired, type PortEpoch } from '#compiler';
import { PORT_DATA, type DriverEvent, type Observation, type ObservedInterface } from '#openflow';
import { type AgentService, type MakeService, type ServiceFacts, type ServiceHost } from '../../service.js';
import { broughtBy, isOurs, portDataText } from './port-data.js';

/** After which a row is tried again that could not be written, ms. */
const AGAIN_MS = 1_000;

/**
 * Gives a guest that libvirt moves the revision along up to which its port's policy is carried out where it leaves, and
 * tells of what one that came has brought. libvirt reads the row (`PORT_DATA`) when the guest stands still at the
 * source, and writes the destination's before it goes on there.
 *
 * | binding | the row |
 * | --- | --- |
 * | active, a standby waits elsewhere, its whole policy stands | says so, and up to which revision |
 * | active, else | says nothing: what was brought here, or was for a move that is over, is taken away |
 * | standby, retired, none | is libvirt's: not written |
 */
export const carriesPolicy: MakeService = (host) => new CarriedPolicy(host);

class CarriedPolicy implements AgentService {
  /** By device: what its row is to say, null for nothing. */
  #wanted: ReadonlyMap<string, string | null> = new Map();
  #writing: Promise<void> = Promise.resolve();
  #retry: (() => void) | null = null;
  #failed = false;
  /** Devices whose row another program uses. */
  #foreign: ReadonlySet<string> = new Set();
  /** Rows as they were last, while a guest is awaited. */
  #rows: readonly ObservedInterface[] = [];
  #awaits = false;
  #lineage: Lineage | null = null;

  constructor(private readonly host: ServiceHost) {}

  facts(_have: Observation, { host, ports }: Desired): ServiceFacts {
    this.#lineage = host.lineage;
    this.#awaits = ports.some((doc) => doc.role === 'standby');
    this.#look();
    return {};
  }

  /** libvirt writes the row just before the guest's first frame: no pass may have seen it by then. */
  noticed(event: DriverEvent): void {
    if (event.kind === 'interfaces') this.#look();
  }

  carriedOut(compiled: Compiled, { interfaces }: Observation, desired: Desired): void {
    const leaves = desired.ports.some(isLeaving);
    if (!leaves && !interfaces.some((row) => row.externalIds[PORT_DATA] !== undefined)) {
      this.#wanted = new Map();
      return;
    }
    this.#wanted = wantedBy(compiled, desired);
    this.#write();
  }

  arrived({ port, epoch }: PortEpoch): { readonly carried?: number } {
    const binding = this.host.compiled()?.bindings.find((b) => b.port === port && b.epoch === epoch);
    const row = this.#rows.find(({ name }) => name === binding?.ifaceName);
    const text = row?.externalIds[PORT_DATA];
    const lineage = this.#lineage;
    if (row === undefined || text === undefined || lineage === null) return {};
    const carried = broughtBy(text, { port, epoch, lineage });
    if (carried.ok) return { carried: carried.value };
    const fields = { port, epoch, device: row.name, reason: carried.error.message };
    this.host.log.warn(fields, 'what a guest brought along of its policy makes no sense, and is not told');
    return {};
  }

  async close(): Promise<void> {
    this.#retry?.();
    this.#wanted = new Map();
    await this.#writing;
  }

  #look(): void {
    if (!this.#awaits) return;
    this.host.driver.interfaces().then(
      (rows) => (this.#rows = rows),
      // No connection to the database: the pass that follows the next one looks again.
      () => undefined,
    );
  }

  #write(): void {
    this.#retry?.();
    this.#retry = null;
    this.#writing = this.#writing.then(() => this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    try {
      const rows = await this.host.driver.interfaces();
      this.#noteForeign(rows);
      for (const { name, externalIds } of rows) {
        const wanted = this.#wanted.get(name);
        const is = externalIds[PORT_DATA];
        if (wanted === undefined || wanted === (is ?? null) || (is !== undefined && !isOurs(is))) continue;
        await this.host.driver.setPortData(name, wanted);
      }
      this.#failed = false;
    } catch (cause) {
      if (!this.#failed)
        this.host.log.warn({ reason: String(cause) }, 'what a guest is to take along could not be written');
      this.#failed = true;
      this.#retry = this.host.clock.after(AGAIN_MS, () => this.#write());
    }
  }

  /** Said once of each: its guest takes nothing of ours along. */
  #noteForeign(rows: readonly ObservedInterface[]): void {
    const foreign = rows.flatMap(({ name, externalIds: { [PORT_DATA]: is } }) =>
      is !== undefined && !isOurs(is) && typeof this.#wanted.get(name) === 'string' ? [name] : [],
    );
    for (const device of foreign)
      if (!this.#foreign.has(device))
        this.host.log.warn(
          { device },
          `${PORT_DATA} is another program’s, and stays: no revision goes along`,
        );
    this.#foreign = new Set(foreign);
  }
}

/** Of the port's guest while a standby waits for it elsewhere. */
const isLeaving = ({ role, handover }: PortDocument): boolean => role === 'active' && handover !== null;

function wantedBy({ bindings }: Compiled, desired: Desired): ReadonlyMap<string, string | null> {
  const documents = new Map(desired.ports.map((doc) => [slotKey(doc.port, doc.epoch), doc]));
  const wanted = new Map<string, string | null>();
  for (const { port, epoch, ifaceName, ready } of bindings) {
    const doc = documents.get(slotKey(port, epoch));
    if (doc?.role !== 'active' || ifaceName === undefined) continue;
    const { handover } = doc;
    if (handover === null || !ready) wanted.set(ifaceName, null);
    else {
      const { lineage } = desired.host;
      const said = { port, epoch: handover.epoch, lineage, revision: policyRevision(doc, desired) };
      wanted.set(ifaceName, portDataText(said));
    }
  }
  return wanted;
}

/** The newest of all documents that the port's policy is made of: a change of any of them has a later one. */
function policyRevision(port: PortDocument, { switches, groups, sets = [] }: Desired): Revision {
  const group = groups.find((it) => it.group === port.group);
  const on = switches.find((it) => it.switch === port.switch);
  const made = [port, group, on].flatMap((it) => it ?? []);
  const named = new Set(made.flatMap((it): readonly SetRef[] => it.sets ?? []).map((ref) => ref.name));
  const all = [...made, ...sets.filter((it) => named.has(it.set))];
  return Math.max(...all.map((it) => it.revision)) as Revision;
}
