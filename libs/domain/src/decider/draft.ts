import { type Lineage, type PortId, type Revision } from '#kernel';
import { type CommandContext } from '../model/commands.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type State } from '../model/state.js';
import { evolve } from './evolve.js';

/**
 * A commit in the making: what one decision has said so far, and the state as if it were already true. Rules that
 * come later in the same decision see what came earlier; nothing of it leaves before the whole is accepted.
 */
export class Draft {
  readonly events: DomainEvent[] = [];
  state: State;
  private readonly meta: EventMeta;

  constructor(
    readonly before: State,
    readonly ctx: CommandContext,
  ) {
    this.state = before;
    const lineage = before.lineage ?? ('' as Lineage);
    this.meta = { lineage, revision: (before.revision + 1) as Revision, time: ctx.now };
  }

  emit(event: DomainEvent): void {
    this.events.push(event);
    this.state = evolve(this.state, event, this.meta);
  }

  /** True if what the draft holds is what these events will make of the state in this commit. */
  isOf({ lineage, revision, time }: EventMeta): boolean {
    const { meta } = this;
    return meta.revision === revision && meta.time === time && meta.lineage === lineage;
  }

  newPortId(): PortId {
    return `p${this.state.nextPort}` as PortId;
  }
}
