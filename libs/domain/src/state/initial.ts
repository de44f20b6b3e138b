import { List, Map } from 'immutable';
import { type Revision } from '#kernel';
import { type State } from '../model/state.js';

/** Before the first commit. */
export const initialState: State = {
  lineage: null,
  revision: 0 as Revision,
  time: 0,
  hosts: Map(),
  switches: Map(),
  groups: Map(),
  ports: Map(),
  sets: Map(),
  migrations: Map(),
  evacuations: Map(),
  byIface: Map(),
  byMac: Map(),
  byGroup: Map(),
  free: Map(),
  byHost: Map(),
  byOwner: Map(),
  bySetMember: Map(),
  moving: Map(),
  deleted: List(),
  realised: 0 as Revision,
  nextPort: 1,
  nextMigration: 1,
  nextEvacuation: 1,
  epochsFrom: 0,
  schemaLevel: 0,
};
