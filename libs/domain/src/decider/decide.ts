import { assertNever, err, ok, type Problem, type Result, type Revision } from '#kernel';
import { abortEvacuation, advanceEvacuation, startEvacuation } from '../evacuation/decide.js';
import { ingest } from '../facts/ingest.js';
import { giveUpHost, takeOver } from '../host/loss.js';
import { resetCounters } from '../ledger/reset.js';
import { apply } from '../manifest/apply.js';
import { deleteResource } from '../manifest/delete.js';
import { abortMigration, advanceMigration, startMigration, timeOutMigration } from '../migration/decide.js';
import { type Command, type CommandContext } from '../model/commands.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type State } from '../model/state.js';
import { connectPort, disconnectPort } from '../port/decide.js';
import { movePort } from '../port/move.js';
import { Draft } from './draft.js';
import { evolve } from './evolve.js';
import { refusal, refuse } from './refusal.js';

/**
 * The events that carry out a command on this state, all or none; an empty list: it is so already. A problem names
 * every field that is wrong. Pure: time and random values come in with `ctx`.
 */
export function decide(state: State, command: Command, ctx: CommandContext): Result<readonly DomainEvent[]> {
  const draft = new Draft(state, ctx);
  const refused = run(draft, command);
  return refused === null ? ok(draft.events) : err(refused);
}

/** `decide`, and the state that its events make in the commit `meta`. Deciding has made that state, mostly. */
export function decideAndEvolve(
  state: State,
  command: Command,
  ctx: CommandContext,
  meta: EventMeta,
): Result<{ readonly events: readonly DomainEvent[]; readonly state: State }> {
  const draft = new Draft(state, ctx);
  const refused = run(draft, command);
  if (refused !== null) return err(refused);
  const { events } = draft;
  if (draft.isOf(meta)) return ok({ events, state: draft.state });
  // The log has commits of its own, which the state does not count.
  return ok({ events, state: events.reduce((next, event) => evolve(next, event, meta), state) });
}

function run(draft: Draft, command: Command): Problem | null {
  switch (command.type) {
    case 'Apply':
      return apply(draft, command);
    case 'Delete':
      return deleteResource(draft, command);
    case 'GiveUpCounters':
      return giveUpHost(draft, command);
    case 'TakeOver':
      return takeOver(draft, command);
    case 'ConnectPort':
      return connectPort(draft, command);
    case 'DisconnectPort':
      return disconnectPort(draft, command);
    case 'MovePort':
      return movePort(draft, command);
    case 'ResetCounters':
      return resetCounters(draft, command);
    case 'SetPort': {
      const { port: name, override, version } = command;
      const resource = {
        kind: 'Port' as const,
        name,
        spec: { override },
        ...(version === undefined ? {} : { version }),
      };
      return apply(draft, { type: 'Apply', resources: [resource] });
    }
    case 'IngestFacts':
      return ingest(draft, command);
    case 'StartMigration':
      return startMigration(draft, command);
    case 'AdvanceMigration':
      return advanceMigration(draft, command);
    case 'AbortMigration':
      return abortMigration(draft, command);
    case 'TimeOutMigration':
      return timeOutMigration(draft, command);
    case 'StartEvacuation':
      return startEvacuation(draft, command);
    case 'AdvanceEvacuation':
      return advanceEvacuation(draft, command);
    case 'AbortEvacuation':
      return abortEvacuation(draft, command);
    case 'RecordRealised':
      return recordRealised(draft, command);
    case 'RaiseSchemaLevel':
      return raiseSchemaLevel(draft, command.level);
    default:
      return assertNever(command);
  }
}

/** Two managers may sum up the same reports; what was said already is not said again. */
function recordRealised(
  draft: Draft,
  { upTo, hosts }: Extract<Command, { type: 'RecordRealised' }>,
): Problem | null {
  const { revision, realised } = draft.before;
  if (!Number.isSafeInteger(upTo) || upTo < 0 || upTo > revision) {
    return refuse('invalid', refusal('ahead', 'upTo', upTo, 'is not a past revision', `at most ${revision}`));
  }
  if (!Number.isSafeInteger(hosts) || hosts < 0) {
    return refuse('invalid', refusal('hosts', 'hosts', hosts, 'is not a number of hosts'));
  }
  if (upTo > realised) draft.emit({ type: 'RevisionRealised', upTo: upTo as Revision, hosts });
  return null;
}

/** The highest level that this version of the software writes and reads. */
export const SCHEMA_LEVEL = 1;

function raiseSchemaLevel(draft: Draft, level: number): Problem | null {
  const now = draft.before.schemaLevel;
  if (!Number.isSafeInteger(level) || level < now) {
    return refuse('refused', refusal('level', 'level', level, 'would go back', `${now} or more`));
  }
  if (level > SCHEMA_LEVEL) {
    return refuse('refused', refusal('level', 'level', level, 'is unknown here', `at most ${SCHEMA_LEVEL}`));
  }
  if (level > now) draft.emit({ type: 'SchemaLevelRaised', level });
  return null;
}
