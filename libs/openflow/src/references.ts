import { type Action, type Flow } from './model.js';

export interface References {
  readonly meters: ReadonlySet<number>;
  readonly groups: ReadonlySet<number>;
}

/** Meters and groups that flows name. The switch deletes a flow together with a meter or group that it names. */
export function references(flows: Iterable<Flow>): References {
  const found = { meters: new Set<number>(), groups: new Set<number>() };
  for (const flow of flows) collect(flow.actions, found);
  return found;
}

export function dangles(flow: Flow, present: References): boolean {
  return flow.actions.some((action) => lacks(action, present));
}

function lacks(action: Action, present: References): boolean {
  if (action.kind === 'meter' || action.kind === 'controller') {
    return action.meter !== undefined && !present.meters.has(action.meter);
  }
  if (action.kind === 'group') return !present.groups.has(action.group);
  return action.kind === 'clone' && action.actions.some((inner) => lacks(inner, present));
}

function collect(actions: readonly Action[], found: { meters: Set<number>; groups: Set<number> }): void {
  for (const action of actions) {
    if (action.kind === 'controller') {
      if (action.meter !== undefined) found.meters.add(action.meter);
    } else if (action.kind === 'meter') found.meters.add(action.meter);
    else if (action.kind === 'group') found.groups.add(action.group);
    else if (action.kind === 'clone') collect(action.actions, found);
  }
}
