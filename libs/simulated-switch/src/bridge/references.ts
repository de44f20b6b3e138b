import { type Action } from '#openflow';

/** Every action of a list, those in clones too. */
export function visit(actions: readonly Action[], see: (action: Action) => void): void {
  for (const action of actions) {
    see(action);
    if (action.kind === 'clone') visit(action.actions, see);
  }
}

/** Whether a list names one of the meters or groups; that of a packet-in is none: the flow outlives it. */
export function names(
  actions: readonly Action[],
  kind: 'meter' | 'group',
  ids: ReadonlySet<number>,
): boolean {
  let found = false;
  visit(actions, (a) => {
    if (a.kind === 'meter' && kind === 'meter') found ||= ids.has(a.meter);
    if (a.kind === 'group' && kind === 'group') found ||= ids.has(a.group);
  });
  return found;
}
