import { ok, type Epoch, type Result } from '#kernel';
import { type Command, type DomainEvent, type State } from '#domain';
import { type DecideContext } from '#event-store';
import { clusterDecider } from '#runtime';

type Decided = Result<readonly DomainEvent[]>;

/** Rules that decide wrongly: what they make of a command, given the right ones. */
export type RuleBug = (
  state: State,
  command: Command,
  context: DecideContext,
  decide: (command: Command) => Decided,
) => Decided;

/** Puts wrong rules in the place of the right ones, for everybody in this process; what is returned takes them out. */
export function plantRules(bug: RuleBug): () => void {
  const rules = clusterDecider as {
    -readonly [K in keyof typeof clusterDecider]: (typeof clusterDecider)[K];
  };
  const right = { ...clusterDecider };
  rules.decide = (state, command, context) =>
    bug(state, command, context, (c) => right.decide(state, c, context));
  rules.decideAndEvolve = (state, command, context) => {
    const decided = rules.decide(state, command, context);
    if (!decided.ok) return decided;
    const meta = { ...context, revision: (context.revision + 1) as never, time: context.now };
    return ok({
      events: decided.value,
      state: decided.value.reduce((next, event) => right.evolve(next, event, meta), state),
    });
  };
  return () => void Object.assign(rules, right);
}

/** What a host says of a binding counts, whatever became of the binding meanwhile. */
export const noFence: RuleBug = (state, command, _context, decide) => {
  const decided = decide(command);
  if (command.type !== 'IngestFacts' || !decided.ok) return decided;
  const { host, facts } = command;
  return ok(
    decided.value.map((event): DomainEvent => {
      if (event.type !== 'FactRefused' || event.code !== 'fenced') return event;
      const fact = facts.find(({ seq }) => seq === event.seq)?.fact;
      if (fact?.type === 'SegmentOpened') {
        const { owes: _, ...opened } = fact;
        return { ...opened, host };
      }
      const port = fact?.type === 'PortActivated' ? state.ports.get(fact.port) : undefined;
      if (port === undefined || port.deleted) return event;
      return { type: 'PortBound', port: port.id, host, epoch: (port.epoch + 1) as Epoch };
    }),
  );
};

/** How long the first of its timers is. */
const FIRST_MS = 700;

/** One timer for a migration, started with it: it hits whatever phase it finds. */
export const earlierTimer: RuleBug = (state, command, context, decide) => {
  const asked = command.type === 'TimeOutMigration' ? state.migrations.get(command.migration) : undefined;
  const decided = decide(command);
  if (!decided.ok || asked !== undefined) return decided;
  return ok(
    decided.value.map((event): DomainEvent => {
      if (event.type === 'MigrationStarted')
        return { ...event, migration: { ...event.migration, deadline: context.now + FIRST_MS } };
      if (event.type !== 'MigrationAdvanced' || event.deadline === null) return event;
      const began = state.migrations.get(event.migration)?.history[0]?.at ?? context.now;
      return { ...event, deadline: began + FIRST_MS };
    }),
  );
};

/** Going back gives the source its binding as it was, not a new one. */
export const rolledBack: RuleBug = (state, command, _context, decide) => {
  const decided = decide(command);
  if (!decided.ok) return decided;
  return ok(
    decided.value.map((event): DomainEvent => {
      if (event.type !== 'PortBound') return event;
      const port = state.ports.get(event.port);
      const before = port?.active === null ? undefined : port?.retiring.find((b) => b.host === event.host);
      return before === undefined ? event : { ...event, epoch: before.epoch };
    }),
  );
};

/** A guest that came back from where it ran already finds its ports still there. */
export const notCalledBack: RuleBug = (_state, command, _context, decide) => {
  const decided = decide(command);
  if (!decided.ok || command.type !== 'IngestFacts') return decided;
  const isBack = decided.value.some((e) => e.type === 'HypervisorReported' && e.outcome === 'failed');
  return isBack ? ok(decided.value.filter((e) => e.type !== 'PortBound')) : decided;
};

/** The hypervisor's word on an earlier move of a guest is taken for one on the move that runs now. */
export const anyMove: RuleBug = (state, command, _context, decide) => {
  if (command.type !== 'IngestFacts') return decide(command);
  const running = new Map(
    [...new Set(state.moving.values())].map((id) => [state.migrations.get(id)?.owner, id]),
  );
  const facts = command.facts.map((numbered) => {
    const { fact } = numbered;
    if (fact.type !== 'HypervisorMigration') return numbered;
    const now = running.get(state.migrations.get(fact.migration)?.owner);
    if (now === undefined) return numbered;
    const { owner: _owner, destination: _destination, ...word } = fact;
    return { ...numbered, fact: { ...word, migration: now } };
  });
  return decide({ ...command, facts });
};

/** The server forgets a message's id after its window; here whoever leads does too. */
const WINDOW_MS = 2_000;
export const beyondWindow = (id: string, now: number): string => `${id}/${Math.floor(now / WINDOW_MS)}`;
