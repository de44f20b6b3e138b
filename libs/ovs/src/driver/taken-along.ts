import { references, type DriverEvent, type FlowUpdate, type OfMessage } from '#openflow';

type Told = Extract<DriverEvent, { kind: 'groups' | 'meters' }>;

/** Why a flow was removed. */
const BY_GROUP = 3;
const BY_METER = 4;

/**
 * A meter or group that goes takes its flows along, and the switch tells of the flows first: whoever repairs at once would
 * have the switch set up flows that name what is not there. So what went is told with the first word of it.
 */
export class TakenAlong {
  readonly #told = new Set<string>();

  /** What must have gone, as its flows say. A flow that names several groups does not say which. */
  gone(bridge: string, updates: readonly FlowUpdate[]): Told[] {
    const events: Told[] = [];
    for (const update of updates) {
      if (update.event !== 'removed') continue;
      const { meters, groups } = references([update.flow]);
      const [meter, group] = [[...meters], [...groups]].map((ids) => (ids.length === 1 ? ids[0] : undefined));
      if (update.reason === BY_METER && meter !== undefined && this.#isNew(`meter ${meter}`))
        events.push({ kind: 'meters', bridge, mods: [{ kind: 'meter-mod', command: 'delete', id: meter }] });
      if (update.reason === BY_GROUP && group !== undefined && this.#isNew(`group ${group}`))
        events.push({ kind: 'groups', bridge, mods: [{ kind: 'group-mod', command: 'delete', id: group }] });
    }
    return events;
  }

  /** Whether the message says what was told already; once. */
  repeats(message: OfMessage): boolean {
    if (message.kind !== 'meter-mod' && message.kind !== 'group-mod') return false;
    const what = message.kind === 'meter-mod' ? 'meter' : 'group';
    return message.command === 'delete' && this.#told.delete(`${what} ${message.id}`);
  }

  /** What was told before belongs to a conversation that is over. */
  forget(): void {
    this.#told.clear();
  }

  #isNew(what: string): boolean {
    if (this.#told.has(what)) return false;
    this.#told.add(what);
    return true;
  }
}
