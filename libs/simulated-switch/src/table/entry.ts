import { flowKey, type Flow, type FlowStats } from '#openflow';
import { toOps, type Op } from './ops.js';
import { shapeOf, type Shape } from './shape.js';

/** A flow in a table, with its counts. Actions are made ready when it is first hit: most flows never are. */
export class Entry {
  readonly key: string;
  readonly shape: Shape;
  readonly values: readonly number[];
  private packets = 0;
  private bytes = 0;
  /** The counts as the switch tells them: frames by cached decisions come later. */
  private told = { packets: 0, bytes: 0, push: -1 };
  usedAt: number;
  private ready: readonly Op[] | undefined;

  constructor(
    readonly flow: Flow,
    readonly createdAt: number,
  ) {
    const { shape, values } = shapeOf(flow.match);
    this.key = flowKey(flow);
    this.shape = shape;
    this.values = values;
    this.usedAt = createdAt;
  }

  get priority(): number {
    return this.flow.priority;
  }

  get ops(): readonly Op[] {
    return (this.ready ??= toOps(this.flow.actions));
  }

  /** A frame was treated by this flow. */
  hit(bytes: number, now: number, push: number): void {
    this.pushed(push);
    this.packets += 1;
    this.bytes += bytes;
    this.usedAt = now;
  }

  /** All that was hit before this push is told from now on. */
  private pushed(push: number): void {
    if (push > this.told.push) this.told = { packets: this.packets, bytes: this.bytes, push };
  }

  stats(now: number, push: number): FlowStats {
    this.pushed(push);
    return {
      flow: this.flow,
      packets: BigInt(this.told.packets),
      bytes: BigInt(this.told.bytes),
      durationMs: Math.floor(now - this.createdAt),
    };
  }
}
