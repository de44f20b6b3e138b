import { err, problem, type Revision } from '#kernel';
import {
  type Commit,
  type CommitListener,
  type DecideContext,
  type Decider,
  type EventCodec,
  type ReplicaRules,
  type StateCodec,
  Upcasters,
} from '#event-store';
import { sha256 } from '#event-store/jetstream';
import {
  decide,
  decideAndEvolve,
  EVENT_VERSIONS,
  evolve,
  freeze,
  initialState,
  parseEvent,
  reopen,
  SCHEMA_LEVEL,
  stateDigestInput,
  stateFromJson,
  thaw,
  toStored,
  upcasters,
  type Command,
  type CommandContext,
  type DomainEvent,
  type State,
} from '#domain';

/** Raised whenever a state of an earlier code would be read differently: snapshots of another version are not used. */
export const CODE_VERSION = 'portolan-7';

export type ClusterCommit = Commit<DomainEvent>;
export type ClusterListener = CommitListener<State, DomainEvent>;

/** The domain's rules with what is impure handed in: the time and the actor of the commit. */
export const clusterDecider: Decider<State, Command, DomainEvent> = {
  initial: initialState,
  decide: (state, command, context) => {
    if (command.type === 'RaiseSchemaLevel') return err(OWN_LEVEL);
    return decide(state, command, commandContext(context));
  },
  decideAndEvolve: (state, command, context) => {
    if (command.type === 'RaiseSchemaLevel') return err(OWN_LEVEL);
    const { lineage, now, revision } = context;
    const commit = { lineage, revision: (revision + 1) as Revision, time: now };
    return decideAndEvolve(state, command, commandContext(context), commit);
  },
  evolve: (state, event, meta) => evolve(state, event, meta),
  reopen,
  bulk: { thaw, freeze },
};

/** The level is the log's own matter: the sequencer writes it, no commit of the domain does. */
const OWN_LEVEL = problem('refused', 'the schema level is raised by the leader');

const commandContext = ({ now, actor }: DecideContext): CommandContext => ({ now, actor });

export const eventCodec: EventCodec<DomainEvent> = {
  toWire: toStored,
  // A copy of what was parsed a moment ago would be a tenth of the cost of reading a commit.
  fromWire: ({ type, data }) =>
    parseEvent(typeof data === 'object' && data !== null ? Object.assign(data, { type }) : data),
};

export const stateCodec: StateCodec<State> = {
  toJson: (state) => stateDigestInput(state),
  fromJson: (json) => stateFromJson(json),
};

/** Everything a replica or a sequencer needs to know about the cluster's log. */
export const clusterRules: ReplicaRules<State, DomainEvent> & {
  readonly decider: Decider<State, Command, DomainEvent>;
} = {
  decider: clusterDecider,
  codec: eventCodec,
  upcasters: new Upcasters(
    EVENT_VERSIONS,
    upcasters.map(({ type, from, up }) => ({ type, v: from, up: (data) => up(data) })),
  ),
  hash: sha256,
  schemaLevel: SCHEMA_LEVEL,
};
