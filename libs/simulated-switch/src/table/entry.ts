import { flowKey, type Flow, type FlowStats } from '#openflow';
import { toOps, type Op } from './ops.js';
import { shapeOf, type Shape } from './shape.js';

/** A flow in a table, with its counts. Actions are made ready when it is first hit: most flows never are. */
export class Entry {
  readonly key: string;
  readonly shape: Shape;
  readonly values: readonly number[];
  packets = 0;
  bytes = 0;
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

  stats(now: number): FlowStats {
    return {
      flow: this.flow,
      packets: BigInt(this.packets),
      bytes: BigInt(this.bytes),
      durationMs: Math.floor(now - this.createdAt),
    };
  }
}
