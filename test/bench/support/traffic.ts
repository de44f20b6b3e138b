import { fileURLToPath } from 'node:url';
import { FrameAgent } from '../../lab/frames.js';

// Run from the built tree: the script is only in the source tree.
const SCRIPT = fileURLToPath(new URL('./traffic.py', import.meta.url)).replace('/dist/test/', '/test/');

/** The clock of all times here, ms. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;

/** UDP frames from one address to another. */
export interface Flow {
  /** The device that they leave by. */
  readonly device: string;
  readonly srcMac: string;
  readonly dstMac: string;
  readonly srcIp: string;
  readonly dstIp: string;
  readonly srcPort: number;
  readonly dstPort: number;
}

export interface Sent {
  /** When each frame left, in the order of their numbers. */
  readonly left: readonly number[];
}

export interface Taken {
  readonly numbers: readonly number[];
  /** When each of them arrived. */
  readonly times: readonly number[];
  /** Frames that the device's socket had no room for. */
  readonly dropped: number;
}

/** What the guests of a host send and get, by one process in the host's namespace. */
export class Traffic {
  readonly #agent: FrameAgent;

  constructor(netns: string) {
    this.#agent = new FrameAgent(netns, SCRIPT);
  }

  async listen(device: string): Promise<void> {
    await this.#agent.request('listen', { device });
  }

  /** Numbered frames that came to a device since it was last asked. */
  async taken(device: string): Promise<Taken> {
    return (await this.#agent.request('taken', { device })) as unknown as Taken;
  }

  /** Numbered frames, `pps` a second; resolves when `count` left, or it was stopped. */
  async stream(flow: Flow, pps: number, count?: number): Promise<Sent> {
    return (await this.#agent.request('stream', { ...flow, pps, count })) as unknown as Sent;
  }

  /** `count` frames from `srcMac`, each to another address, from `dstMac` on. */
  async spray(device: string, srcMac: string, dstMac: string, count: number, pps: number): Promise<void> {
    await this.#agent.request('spray', { device, srcMac, dstMac, count, pps });
  }

  /** The same frame over and over for so long, as fast as it goes or `pps` a second; resolves with how many left. */
  async flood(flow: Flow, ms: number, pps?: number): Promise<{ readonly sent: number; readonly ms: number }> {
    return (await this.#agent.request('flood', { ...flow, ms, pps })) as unknown as {
      readonly sent: number;
      readonly ms: number;
    };
  }

  /** Ends all streams. */
  async stop(): Promise<void> {
    await this.#agent.request('stop');
  }

  async close(): Promise<void> {
    await this.#agent.stop();
  }
}
