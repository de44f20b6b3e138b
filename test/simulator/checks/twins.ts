import { type Epoch, type PortId } from '#kernel';
import { LEASE, type DomainEvent, type State } from '#domain';
import { KEYS } from '#contracts';
import { type Guest, type Nic } from '../host/guest.js';
import { type Machine } from '../host/machine.js';
import { type AgentService } from '../services/agent.js';
import { forgottenOf } from '../story/losses.js';
import { type Auditor } from './auditor.js';

export interface TwinSurroundings {
  readonly auditor: Auditor;
  readonly nics: readonly Nic[];
  readonly machines: ReadonlyMap<string, Machine>;
  readonly agents: ReadonlyMap<string, AgentService | null>;
  broken(what: string): void;
}

interface Through {
  readonly host: string;
  readonly epoch: Epoch;
}

/**
 * Two of one guest: where its port was taken over, or its group isolates, the host that has the port lets frames through,
 * and from then on no other does. Frames of a guest that runs once tell nothing of that: it is in one place.
 */
export class TwinChecks {
  /** `port host` → the last epoch at which the log had the port there. */
  private readonly epochs = new Map<string, Epoch>();
  /** `port host` of what was taken over from a host that may live. */
  private readonly taken = new Set<string>();
  /** Of the vNICs of guests that run twice: who let frames through at the highest epoch since then. */
  private readonly through = new Map<Nic, Through>();
  private returns = 0;

  constructor(private readonly world: TwinSurroundings) {}

  began({ nics }: Guest): void {
    for (const nic of nics) this.through.delete(nic);
  }

  committed(events: readonly DomainEvent[], before: State): void {
    for (const event of events) {
      if (event.type === 'PortBound') this.has(event.port, event.host, event.epoch);
      if (event.type === 'StandbyGranted') this.has(event.port, event.standby.host, event.standby.epoch);
      if (event.type === 'PortTakenOver') this.takenOver(event.port, event.host, before);
    }
  }

  private has(port: PortId, host: string, epoch: Epoch): void {
    this.epochs.set(`${port} ${host}`, epoch);
    this.taken.delete(`${port} ${host}`);
  }

  /** What its host counted since the last checkpoint, and counts from now on, is in no ledger. */
  private takenOver(port: PortId, host: string, before: State): void {
    this.taken.add(`${port} ${host}`);
    const { auditor, nics, machines } = this.world;
    const machine = machines.get(host);
    if (machine === undefined) return;
    for (const nic of nics)
      if (auditor.portsOf.get(nic.spec.ifaceId)?.has(port) === true)
        forgottenOf(nic, auditor, machine, before);
  }

  /** A frame of this vNIC left the switch, or one was handed to its tap. */
  passed(at: Machine, nic: Nic): void {
    const { auditor } = this.world;
    if (nic.guest.twin === null || auditor.isReturned || !nic.guest.places.includes(at.name)) return;
    if (this.returns !== auditor.returns) this.through.clear();
    this.returns = auditor.returns;
    const port = auditor.state.byIface.get(nic.spec.ifaceId as never);
    const epoch = port === undefined ? undefined : this.epochs.get(`${port} ${at.name}`);
    if (port === undefined || epoch === undefined) return;
    const highest = this.through.get(nic);
    if (highest === undefined || epoch > highest.epoch) this.through.set(nic, { host: at.name, epoch });
    else if (epoch < highest.epoch && this.mustBeClosed(port, at))
      this.world.broken(
        `${at.name} lets frames of ${nic.spec.ifaceId} through at epoch ${epoch}, and ${highest.host} does at ${highest.epoch}`,
      );
  }

  /**
   * A host that is heard of may have a port taken away by what looks like a guest that moves: until it is turned away, as
   * ever. Nothing tells the log apart what was started twice before it knew of the first.
   */
  private mustBeClosed(port: PortId, at: Machine): boolean {
    const cutOffMs = at.cutOffAt === null ? 0 : at.scheduler.now - at.cutOffAt;
    return this.taken.has(`${port} ${at.name}`) || (cutOffMs > LEASE.boundMs && this.isolates(port, at));
  }

  /** For all that the host knows: what it was not told it can't do. */
  private isolates(port: PortId, { name }: Machine): boolean {
    const group = this.world.auditor.state.ports.get(port)?.group;
    const document = this.world.agents.get(name)?.last?.documents.get(KEYS.group(group as never));
    return document?.type === 'group' && document.partitionPolicy === 'isolate';
  }
}
