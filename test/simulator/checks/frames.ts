import { type Lineage } from '#kernel';
import { type Report } from '#contracts';
import { destinationOf, numberOf, sourceOf, tailOf } from '../host/frames.js';
import { type Nic } from '../host/guest.js';
import { type Machine } from '../host/machine.js';
import { type Auditor } from './auditor.js';

/** What is known around a frame. */
export interface Surroundings {
  readonly auditor: Auditor;
  /** What each host last reported. */
  readonly reports: ReadonlyMap<string, Report>;
  broken(what: string): void;
  now(): number;
}

interface Sent {
  readonly from: Nic;
  /** Where, and what that host had claimed by then. */
  readonly claim: { readonly lineage: Lineage | null; readonly realised: number };
}

/** Frames kept in mind: a wire is not longer. */
const REMEMBERED = 512;
/** By then the agent has seen what was done by hand, and has put it right. */
const EXCUSED_MS = 5_000;

/** Holds every frame that reaches a guest's tap against the policy that its hosts claimed to carry out. */
export class FrameChecks {
  private readonly flying = new Map<string, Sent>();
  /** Per receiver: what it got. */
  private readonly got = new Map<string, Set<string>>();
  delivered = 0;
  private excusedUntil = 0;

  constructor(private readonly world: Surroundings) {}

  sent(nic: Nic, machine: Machine, number: number | null): void {
    if (number === null) return;
    this.flying.set(key(tailOf(nic.spec.mac), number), { from: nic, claim: this.claim(machine) });
    if (this.flying.size > REMEMBERED) this.flying.delete(this.flying.keys().next().value as string);
  }

  handed(at: Machine, to: Nic, frame: Uint8Array): void {
    to.handed += 1;
    const { guest } = to;
    const isHere = guest.places.includes(at.name);
    const runs = isHere && guest.state === 'running';
    if (!isHere && !(guest.moving && guest.previous === at.name) && !this.excused(to, at))
      this.world.broken(
        `${at.name} hands frames to the tap of ${to.spec.ifaceId}, which is at ${guest.machine}`,
      );
    const number = numberOf(frame);
    if (number === null || !runs || !isFor(frame, to)) return;
    to.received += 1;
    const id = key(sourceOf(frame), number);
    const got = this.got.get(to.spec.ifaceId) ?? new Set();
    this.got.set(to.spec.ifaceId, got);
    // What each of two of one guest may get is another matter.
    if (got.has(id) && guest.twin === null) this.world.broken(`${to.spec.ifaceId} got frame ${id} twice`);
    got.add(id);
    this.delivered += 1;
    const sent = this.flying.get(id);
    if (sent !== undefined) this.policy(sent, at, to, id);
  }

  private excused(to: Nic, at: Machine): boolean {
    const { state } = this.world.auditor;
    const id = state.byIface.get(to.spec.ifaceId as never);
    const port = id === undefined ? undefined : state.ports.get(id);
    // What takes the port away from here has not arrived, and no frame of the guest's yet that would turn its trap.
    const { lineage, realised } = this.claim(at);
    if (port !== undefined && this.world.auditor.stillHas(port.id, at.name, lineage, realised)) return true;
    // It was here, and went on before the log was told that it had come.
    if (port?.standby?.host === at.name && to.guest.previous === at.name) return true;
    // Where the guest runs its host could not tell: for all that the log knows it is where it was plugged.
    return to.guest.state === 'off' || port?.active?.host !== to.guest.machine;
  }

  /** The switches are not what they should be for a while: somebody interfered. */
  excuse(): void {
    this.excusedUntil = this.world.now() + EXCUSED_MS;
  }

  private policy({ from, claim }: Sent, at: Machine, to: Nic, id: string): void {
    if (this.world.now() < this.excusedUntil) return;
    const { auditor } = this.world;
    const there = this.claim(at);
    const senders = auditor.policies(from.spec.ifaceId, claim.lineage, claim.realised);
    const receivers = auditor.policies(to.spec.ifaceId, there.lineage, there.realised);
    const open = senders.filter((p) => !p.blocked);
    if (open.length === 0)
      this.world.broken(`frame ${id} of ${from.spec.ifaceId} passed, though it is blocked`);
    const ears = receivers.filter((p) => !p.blocked);
    if (ears.length === 0) this.world.broken(`${to.spec.ifaceId} got frame ${id}, though it is blocked`);
    if (!open.some((a) => ears.some((b) => a.segment === b.segment)))
      this.world.broken(
        `frame ${id} went from ${from.spec.ifaceId} to ${to.spec.ifaceId}, which are in different VLANs`,
      );
  }

  private claim(machine: Machine): Sent['claim'] {
    const report = this.world.reports.get(machine.name);
    return { lineage: report?.lineage ?? null, realised: report?.realised ?? 0 };
  }
}

/** What a guest's own NIC takes; a copy with the token of a migration is for no guest. */
const isFor = (frame: Uint8Array, nic: Nic): boolean =>
  frame.subarray(0, 6).every((b) => b === 0xff) || destinationOf(frame) === tailOf(nic.spec.mac);

const key = (source: number, number: number): string => `${source}/${number}`;
