import { type MigrationId } from '#kernel';
import { type Kind } from './order-of-events.js';

/** A guest: one memory, which runs on one host at a time, with one or more vNICs that go wherever it goes. */
export class Guest {
  state: 'off' | 'running' | 'paused' = 'off';
  /** The host where its memory is. */
  machine: string | null = null;
  /** Where a second one of it runs: it was started while the first was not heard of. */
  twin: string | null = null;
  /** A hypervisor moves it. */
  moving = false;
  /** Where it was before. */
  previous: string | null = null;
  /** Until when it was where. */
  readonly wasAt = new Map<string, number>();
  /** It stands still, and is about to run there. */
  goingTo: string | null = null;
  /** How often it is to go back as soon as it has arrived. */
  returns = 0;
  /** Until then: it went to where it is only when everything was ready for it there, and nothing of it is to be lost. */
  awaitedUntil = 0;
  /** The migration that brought it here. */
  broughtBy: MigrationId | null = null;
  readonly nics: Nic[] = [];

  constructor(
    readonly owner: string,
    /** What moves it. */
    readonly kind: Kind = 'libvirt',
  ) {}

  /** Where it runs, or is. */
  get places(): readonly string[] {
    return [this.machine, this.twin].filter((place) => place !== null);
  }

  /** What runs of it there is no more. */
  endsAt(place: string, at: number): void {
    if (!this.places.includes(place)) return;
    this.wasAt.set(place, at);
    if (this.machine === place) {
      this.machine = this.twin;
      this.previous = place;
    }
    this.twin = null;
    if (this.machine === null) this.state = 'off';
  }

  addNic(spec: Omit<NicSpec, 'owner'>): Nic {
    const nic = new Nic(this, { ...spec, owner: this.owner });
    this.nics.push(nic);
    return nic;
  }
}

export interface NicSpec {
  readonly owner: string;
  readonly ifaceId: string;
  readonly mac: string;
  readonly profile: string;
  readonly switch: string;
}

/** A vNIC of a guest. What it sends and what becomes of it is known here. */
export class Nic {
  number = 0;
  /** Rarely sends, and does not announce itself. */
  quiet = false;
  sent = 0;
  /** Frames, and their octets, that a switch counted as coming in from its tap. */
  accepted = 0;
  acceptedBytes = 0;
  /** Frames that a switch handed to its tap, wherever. */
  handed = 0;
  /** Frames counted on their way to a tap that was just unplugged. */
  missed = 0;
  received = 0;
  /** A switch that held counts of it was lost, or an agent's disk. */
  exact = true;

  /** Counts were lost before the log knew that anybody counted: nothing can say so. */
  silent = false;
  /** Somebody interfered with the flows: what is counted on its way out may not have arrived. */
  tampered = false;

  constructor(
    readonly guest: Guest,
    readonly spec: NicSpec,
  ) {}

  get tap(): string {
    return `tap-${this.spec.ifaceId}`;
  }
}
