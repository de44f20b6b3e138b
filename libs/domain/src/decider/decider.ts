import { describeEvent } from '../events/describe.js';
import { parseEvent } from '../events/parse.js';
import { EVENT_VERSIONS, fromStored, toStored, upcasters } from '../events/versions.js';
import { initialState } from '../state/initial.js';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { decide } from './decide.js';
import { evolve } from './evolve.js';

/** The whole domain in one value, for those who run it: rules, and the way in and out of the log and snapshots. */
export const decider = {
  initial: initialState,
  decide,
  evolve,
  parseEvent,
  describeEvent,
  eventVersions: EVENT_VERSIONS,
  upcasters,
  toWire: toStored,
  fromWire: fromStored,
  toJson: stateDigestInput,
  fromJson: stateFromJson,
} as const;
