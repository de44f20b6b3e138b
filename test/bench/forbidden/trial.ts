import { type LabHost } from '../../lab/host.js';
import { type PortPlan } from '../ovn/ports.js';
import { monotonic, Traffic, type Flow } from '../support/traffic.js';
import { pause } from '../support/until.js';
import { type Gate, type Kind } from './gates.js';

export interface Case {
  readonly kind: Kind;
  readonly pps: number;
  /** Decisions of the datapath about other frames that it has cached. */
  readonly others: number;
}

export interface Trial {
  /** From the request to the last forbidden frame, ms. */
  readonly lastMs: number;
  /** From the request to the answer, ms. */
  readonly toldMs: number;
  /** Forbidden frames that passed after the answer. */
  readonly after: number;
  /** From that frame to when the first one left that was stopped: as much later it may have been. */
  readonly blindMs: number;
  /** Decisions that the datapath had cached when the stream began. */
  readonly cached: number;
}

/** Before the request; a stream has become what it is by then. */
const BEFORE_MS = 120;
/** After the answer: longer than a switch goes on by what it has cached, where that is next to nothing, and much. */
const AFTER_MS = { few: 100, many: 800 };
const FEW = 500;
const ANSWERS = 5;
const SPRAY_PPS = 20_000;
const SPRAY_FROM = '02:ee:00:00:00:00';

/** Two guests of one host of one side. */
export class Guests {
  readonly #traffic: Traffic;
  readonly #from: string;
  readonly #to: string;

  private constructor(
    private readonly host: LabHost,
    private readonly name: string,
    private readonly sender: PortPlan,
    private readonly receiver: PortPlan,
  ) {
    this.#traffic = new Traffic(host.netns);
    [this.#from, this.#to] = [`${sender.device}g`, `${receiver.device}g`];
  }

  static async on(host: LabHost, name: string, [sender, receiver]: readonly PortPlan[]): Promise<Guests> {
    const it = new Guests(host, name, sender!, receiver!);
    await it.#traffic.listen(it.#to);
    return it;
  }

  /** One stream of frames, stopped by a change of policy. Text: why nothing can be said, as no frame came before it. */
  async try({ kind, pps, others }: Case, port: number, gate: Gate): Promise<Trial | string> {
    if (others > 0) await this.#traffic.spray(this.#from, this.sender.mac, SPRAY_FROM, others, SPRAY_PPS);
    const cached = await this.#cached();
    await this.#traffic.taken(this.#to);
    const flow = this.#flow(port);
    const sending = this.#traffic.stream(flow, pps);
    await pause(BEFORE_MS / 2);
    if (kind === 'established') await this.#traffic.stream(back(flow, this.#to), 1_000, ANSWERS);
    await pause(BEFORE_MS / 2);
    const asked = monotonic();
    await gate.stop(port);
    const told = monotonic();
    await pause(cached > FEW ? AFTER_MS.many : AFTER_MS.few);
    await this.#traffic.stop();
    const { left } = await sending;
    const { numbers, times, dropped } = await this.#traffic.taken(this.#to);
    await gate.resume(port);
    const last = times.at(-1) ?? NaN;
    // Else it is nothing that was stopped which stopped.
    if (!(last > asked - BEFORE_MS / 2) || dropped > 0)
      return (
        `${this.name}: ${times.length} of ${left.length} frames came, ${dropped} were not taken, ` +
        `none shortly before the request; ${cached} cached`
      );
    const after = times.filter((at) => at > told).length;
    const stopped = left[numbers.at(-1)! + 1];
    if (stopped === undefined)
      throw new Error(`${this.name}: packets passed to the end, ${after} after the answer, ${cached} cached`);
    return {
      lastMs: Math.max(0, last - asked),
      toldMs: told - asked,
      after,
      blindMs: Math.max(0, stopped - Math.max(last, asked)),
      cached,
    };
  }

  async close(): Promise<void> {
    await this.#traffic.close();
  }

  async #cached(): Promise<number> {
    return Number(/\(current (\d+)\)/.exec(await this.host.appctl('upcall/show'))?.[1]);
  }

  #flow(port: number): Flow {
    const { sender, receiver } = this;
    const addresses = { srcMac: sender.mac, srcIp: sender.ip, dstMac: receiver.mac, dstIp: receiver.ip };
    return { device: this.#from, ...addresses, srcPort: 4_000, dstPort: port };
  }
}

const back = (flow: Flow, device: string): Flow => ({
  device,
  srcMac: flow.dstMac,
  dstMac: flow.srcMac,
  srcIp: flow.dstIp,
  dstIp: flow.srcIp,
  srcPort: flow.dstPort,
  dstPort: flow.srcPort,
});
