import { once } from '#kernel';
import { fresh } from './apply-step.js';
import {
  type BridgeObservation,
  type BridgeState,
  type DataplaneState,
  type Observation,
} from './dataplane.js';

/**
 * What reading would give if on bridges that are known already there stood just what is wanted; it is put together when
 * it is asked for.
 */
export function standing(want: DataplaneState, have: Observation): Observation {
  const rows = new Map(have.bridges.map((b) => [b.name, b]));
  const bridges = want.bridges.flatMap((b) => {
    const row = rows.get(b.name);
    return row === undefined ? [] : [withContent(row, b)];
  });
  return { ...have, bridges };
}

function withContent(
  { name, externalIds, markLost, failMode, mtu, ports, settings, exports, fragmentsBlind }: BridgeObservation,
  state: BridgeState,
): BridgeObservation {
  const flows = once(() => state.flows.map(fresh));
  const meters = once(() => state.meters.map((m) => ({ ...m, durationMs: 0 })));
  return {
    name,
    externalIds,
    ...(markLost === undefined ? {} : { markLost }),
    failMode,
    ...(mtu === undefined ? {} : { mtu }),
    ports,
    ...(settings === undefined ? {} : { settings }),
    ...(exports === undefined ? {} : { exports }),
    ...(fragmentsBlind === undefined ? {} : { fragmentsBlind }),
    get flows() {
      return flows();
    },
    get groups() {
      return state.groups;
    },
    get meters() {
      return meters();
    },
  };
}

/** Whether nothing stands but what is wanted, if all that is wanted stands. */
export function standsAlone(want: DataplaneState, have: Observation): boolean {
  const rows = new Map(have.bridges.map((b) => [b.name, b]));
  if (have.bridges.length !== want.bridges.length) return false;
  return want.bridges.every((b) => {
    const row = rows.get(b.name);
    return (
      row !== undefined &&
      row.flows.length === b.flows.length &&
      row.groups.length === b.groups.length &&
      row.meters.length === b.meters.length &&
      (row.unreadable ?? []).length === 0
    );
  });
}
