import { macToBigint } from '#kernel';

/** What a simulated VM is made of; travels whole in a migration. */
export interface GuestSpec {
  readonly owner: string;
  readonly ifaceId: string;
  readonly mac: string;
  readonly profile: string;
  readonly switch: string;
  /** MAC that the traffic goes to; absent: the guest only listens. */
  readonly peer?: string;
  /** Frames a second; 0: silent. */
  readonly pps: number;
  /** Numbered frames that it sends in its life; absent: no end. Announcements come on top. */
  readonly limit?: number;
  /** Sends only after it has received something: a server that waits for its first client. */
  readonly waits?: boolean;
}

/** The guest's memory: its own counters. They survive a migration because they travel with it. */
export interface GuestMemory {
  /** Everything sent, announcements too. */
  readonly sent: number;
  /** The last numbered frame. */
  readonly number: number;
  readonly received: number;
}

/** A guest that was never started. */
export const BLANK_MEMORY: GuestMemory = { sent: 0, number: 0, received: 0 };

const FRAME_BYTES = 128;
const ETHERTYPE_RARP = 0x8035;

/** A guest that sends numbered UDP frames at a steady pace and counts what it gets. */
export class Guest {
  #sent: number;
  #number: number;
  #received: number;
  #running = false;
  #timer: NodeJS.Timeout | null = null;
  #owed = 0;
  #last = 0;

  constructor(
    readonly spec: GuestSpec,
    memory: GuestMemory,
    private readonly transmit: (frame: Uint8Array) => void,
  ) {
    this.#sent = memory.sent;
    this.#number = memory.number;
    this.#received = memory.received;
  }

  get memory(): GuestMemory {
    return { sent: this.#sent, number: this.#number, received: this.#received };
  }

  get running(): boolean {
    return this.#running;
  }

  receive(): void {
    if (!this.#running) return;
    this.#received += 1;
  }

  /** Runs; `announce` sends RARP first, as QEMU does after a migration. Announcements count as sent. */
  resume(announce: boolean): void {
    if (this.#running) return;
    this.#running = true;
    if (announce) this.#send(announcement(this.spec.mac));
    if (this.spec.pps <= 0 || this.spec.peer === undefined) return;
    this.#last = performance.now();
    this.#timer = setInterval(() => this.#tick(), 10);
  }

  pause(): void {
    this.#running = false;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    const now = performance.now();
    // A guest that was not scheduled for a while does not make up for more than a tenth of a second.
    if (this.spec.waits === true && this.#received === 0) {
      this.#last = now;
      return;
    }
    this.#owed = Math.min(this.#owed + ((now - this.#last) * this.spec.pps) / 1000, this.spec.pps / 10 + 1);
    this.#last = now;
    while (this.#owed >= 1) {
      this.#owed -= 1;
      if (this.#number >= (this.spec.limit ?? Number.POSITIVE_INFINITY)) continue;
      this.#number += 1;
      this.#send(numberedFrame(this.spec, this.#number));
    }
  }

  #send(frame: Uint8Array): void {
    this.#sent += 1;
    this.transmit(frame);
  }
}

/** RARP "I am here", broadcast, 60 bytes. */
export function announcement(mac: string): Uint8Array {
  const frame = new Uint8Array(60);
  const view = new DataView(frame.buffer);
  frame.fill(0xff, 0, 6);
  putMac(view, 6, mac);
  view.setUint16(12, ETHERTYPE_RARP);
  view.setUint16(14, 1);
  view.setUint16(16, 0x0800);
  view.setUint8(18, 6);
  view.setUint8(19, 4);
  view.setUint16(20, 3);
  putMac(view, 22, mac);
  putMac(view, 32, mac);
  return frame;
}

function numberedFrame(spec: GuestSpec, number: number): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  putMac(view, 0, spec.peer ?? 'ff:ff:ff:ff:ff:ff');
  putMac(view, 6, spec.mac);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, FRAME_BYTES - 14);
  view.setUint8(22, 64);
  view.setUint8(23, 17);
  view.setUint32(26, hostAddress(spec.mac));
  view.setUint32(30, hostAddress(spec.peer ?? spec.mac));
  view.setUint16(34, 9);
  view.setUint16(36, 7);
  view.setUint16(38, FRAME_BYTES - 34);
  view.setBigUint64(42, BigInt(number));
  return frame;
}

/** 10.x.y.z out of the last three octets: enough to be told apart. */
const hostAddress = (mac: string): number => Number(0x0a000000n | (macToBigint(mac) & 0xffffffn));

function putMac(view: DataView, at: number, mac: string): void {
  const value = macToBigint(mac);
  view.setUint16(at, Number(value >> 32n));
  view.setUint32(at + 2, Number(value & 0xffffffffn));
}
