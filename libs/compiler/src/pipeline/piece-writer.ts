import { type OwnedPieces, type Piece } from '#openflow';
import { type CompileMemo } from '../memo.js';
import { type BridgePlan, type PortPlan } from '../resolve/plan.js';
import { Emitter, type Collected } from './emitter.js';
import { owned } from './owned.js';
import { FEATURES } from './registry.js';

/** Has the features write for a bridge and its ports; what stands since the last time is not written again. */
export class PieceWriter {
  readonly #pens: readonly Emitter[];

  constructor(
    private readonly plan: BridgePlan,
    private readonly round: number,
    private readonly memo: CompileMemo | undefined,
  ) {
    this.#pens = FEATURES.map((feature) => new Emitter(feature.name, round, emptyCollected()));
  }

  bridge(): OwnedPieces {
    const make = (plan: BridgePlan, i: number): Piece =>
      this.#written(i, (out) => FEATURES[i]?.bridge?.(plan, out));
    const held = this.memo?.bridge(this.plan, this.round, FEATURES.length, make);
    return held ?? owned(FEATURES.map((_, i) => make(this.plan, i)));
  }

  port(port: PortPlan): OwnedPieces {
    const make = (plan: PortPlan, i: number): Piece =>
      this.#written(i, (out) => {
        if (plan.life === 'closed') FEATURES[i]?.closed?.(plan, out);
        else FEATURES[i]?.port?.(plan, out, this.plan);
      });
    const held = this.memo?.port(this.plan, port, this.round, FEATURES.length, make);
    return held ?? owned(FEATURES.map((_, i) => make(port, i)));
  }

  /** By key; in the order that the features tell. */
  parts(): readonly (readonly [string, OwnedPieces])[] {
    return FEATURES.flatMap(({ name, parts }, i) =>
      (parts?.(this.plan) ?? []).map((part) => {
        const key = `${name} ${part.key}`;
        const make = (): OwnedPieces => {
          const piece = this.#written(i, (out) => part.write(out));
          return owned(FEATURES.map((_, k) => (k === i ? piece : NOTHING)));
        };
        return [key, this.memo?.part(this.plan, key, part.of, this.round, make) ?? make()] as const;
      }),
    );
  }

  #written(feature: number, write: (out: Emitter) => void): Piece {
    const pen = this.#pens[feature]!;
    const into = emptyCollected();
    pen.into = into;
    write(pen);
    return into;
  }
}

const emptyCollected = (): Collected => ({ flows: [], groups: [], meters: [] });

const NOTHING: Piece = emptyCollected();
