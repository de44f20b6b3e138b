import { type CtTuple } from './wire/messages.js';

/** A connection as a switch's conntrack has it. */
export interface TrackedConnection {
  /** Of IP. */
  readonly protocol: number;
  /** As whoever began it sends. */
  readonly original: WholeTuple;
  readonly mark: number;
  /** Of TCP; all else is `open` as long as it is there. `over`: reset, or ended by both. */
  readonly phase: 'opening' | 'open' | 'over';
}

/** With the fields that its protocol has. */
export type WholeTuple = CtTuple & Required<Pick<CtTuple, 'src' | 'dst'>>;
