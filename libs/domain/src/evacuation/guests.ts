import { type HostName } from '#kernel';
import { type EvacuatedGuest, type Evacuation, type Port, type State } from '../model/state.js';

export const isOver = ({ phase }: Evacuation): boolean => phase !== 'running' && phase !== 'aborting';

/** Evacuations that are not over, the eldest first. */
export function runningEvacuations({ evacuations }: Pick<State, 'evacuations'>): Evacuation[] {
  const running = [...evacuations.values()].filter((e) => !isOver(e));
  return running.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
}

/** A VM or container with those of its ports that are active on one host. */
export interface Guest {
  readonly owner: string;
  readonly ports: readonly Port[];
}

/** Who runs on a host, by name. What belongs to the host itself is nobody who could leave. */
export function guestsOn(state: State, host: HostName): readonly Guest[] {
  const byOwner = new Map<string, Port[]>();
  for (const id of state.byHost.get(host) ?? []) {
    const port = state.ports.get(id);
    if (port?.active?.host !== host || port.connectee === null || port.connectee.kind === 'kernel') continue;
    const { owner } = port.connectee;
    const ports = byOwner.get(owner);
    if (ports === undefined) byOwner.set(owner, [port]);
    else ports.push(port);
  }
  const number = (p: Port): number => Number(p.id.slice(1));
  return [...byOwner]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([owner, ports]) => ({ owner, ports: ports.sort((a, b) => number(a) - number(b)) }));
}

/**
 * - `waiting`: to be sent off; `moving`: on its way, by whomever; `moved`: by this evacuation; `refused`: can't go.
 * - `gone`: left without this evacuation's doing; `stays`: it was over before the guest was tried again.
 */
export type GuestState = 'waiting' | 'moving' | 'moved' | 'refused' | 'gone' | 'stays';

/** How each guest stands: those that the evacuation has dealt with, then those that it is still to deal with. */
export function guestStates(
  state: State,
  e: Evacuation,
): readonly (EvacuatedGuest & { readonly state: GuestState })[] {
  const here = new Map(isOver(e) ? [] : guestsOn(state, e.host).map((g) => [g.owner, g]));
  const stateOf = (g: EvacuatedGuest): GuestState => {
    const last = g.tries.at(-1);
    if (last?.outcome === 'completed') return 'moved';
    if (last?.outcome === null) return 'moving';
    if (g.refusals.length > 0) return 'refused';
    if (isOver(e)) return 'stays';
    const guest = here.get(g.owner);
    if (guest === undefined) return 'gone';
    return isMoving(state, guest) ? 'moving' : 'waiting';
  };
  const known = new Set(e.guests.map((g) => g.owner));
  const others = [...here.keys()].filter((owner) => !known.has(owner));
  return [...e.guests, ...others.map((owner) => ({ owner, tries: [], refusals: [] }))].map((g) => ({
    ...g,
    state: stateOf(g),
  }));
}

export const isMoving = (state: State, { ports }: Guest): boolean =>
  ports.some((p) => state.moving.has(p.id));
