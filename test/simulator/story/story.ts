import { hasEnded, type Migration } from '#domain';
import { projectAll } from '#protocol';
import { compile } from '#compiler';
import { planOf } from '../../../apps/host-agent/src/reconcile/plan.js';
import { desiredOf } from '../../../apps/host-agent/src/reconcile/desired.js';
import { stateDigest } from '#event-store';
import { clusterRules, stateCodec } from '#runtime';
import { groupResource, reopened } from './groups.js';
import { GROUPS } from './settings.js';
import { allBack, hostResource, restartStranded, switchResource } from './hosts.js';
import { checkLedgers } from './ledgers.js';
import { Random } from '../engine/random.js';
import { plantRules } from '../mutants/rules.js';
import { handoverToken } from '../services/signing.js';
import { act } from './actions.js';
import { goBack, lurk } from './moves.js';
import { comeBack } from './power.js';
import { endOne, reconnect } from './twins.js';
import { Broken, SimWorld, type Bugs } from './world.js';

export interface StoryOptions {
  readonly seed: number;
  /** Things that happen. */
  readonly actions?: number;
  /** Without faults when false. */
  readonly faults?: boolean;
  readonly bugs?: Bugs;
  readonly verbose?: boolean;
  /** Actions that are left out, by their number: for shrinking. */
  readonly without?: ReadonlySet<number>;
}

export interface Outcome {
  readonly seed: number;
  readonly ok: boolean;
  readonly broken: string;
  readonly steps: number;
  readonly commits: number;
  readonly delivered: number;
  readonly virtualMs: number;
  readonly trace: readonly string[];
  readonly migrations: Readonly<Record<string, number>>;
  /** The log came back older, and nobody was left who could know: what then comes of it is not judged. */
  readonly unnoticed: boolean;
}

/** One story, told by its seed: the same seed, the same story, to the last step. */
export async function story(options: StoryOptions): Promise<Outcome> {
  const { seed, actions = 40, faults = true, bugs = {}, without = new Set() } = options;
  const dice = new Random(seed ^ 0x5bd1e995);
  const size = {
    hosts: dice.chance(0.1) ? 5 + dice.below(2) : 2 + dice.below(3),
    guests: 2 + dice.below(4),
    managers: dice.chance(0.3) ? 3 : 2,
    coordinators: 2,
  };
  const world = new SimWorld(seed, size, bugs);
  if (faults) world.mover.onBothEnds = (guest) => lurk(world, dice, guest);
  world.mover.onArrived = (guest) => goBack(world, guest);
  world.scheduler.verbose = options.verbose ?? false;
  const restore = bugs.rules === undefined ? bugs.plant?.() : plantRules(bugs.rules);
  let broken = '';
  try {
    await begin(world);
    for (let i = 0; i < actions; i += 1) {
      const own = dice.fork();
      if (own.chance(0.15)) world.copies.push(world.copy());
      if (!without.has(i)) act(world, own, faults);
      await wait(world, (dice.chance(0.1) ? dice.between(0, 4_000) : dice.between(0, 400)) + world.lull);
      world.lull = 0;
    }
    await end(world);
  } catch (cause) {
    if (!(cause instanceof Broken))
      broken = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    else broken = cause.message;
  } finally {
    restore?.();
  }
  const migrations: Record<string, number> = {};
  for (const m of world.auditor.state.migrations.values())
    migrations[m.phase] = (migrations[m.phase] ?? 0) + 1;
  return {
    seed,
    ok: broken === '',
    broken,
    steps: world.scheduler.steps,
    commits: world.auditor.commits,
    delivered: world.frames.delivered,
    virtualMs: world.scheduler.now,
    trace: world.scheduler.trace(options.verbose === true ? Number.MAX_SAFE_INTEGER : 200),
    migrations,
    unnoticed: world.auditor.isReturned,
  };
}

const wait = (world: SimWorld, ms: number): Promise<void> => world.wait(ms);

async function until(
  world: SimWorld,
  what: string,
  limitMs: number,
  done: () => string | null,
): Promise<void> {
  const limit = world.scheduler.now + limitMs;
  for (let why = done(); why !== null; why = done()) {
    if (world.scheduler.now >= limit) throw new Broken(`${what}: ${why}`);
    await wait(world, 250);
  }
}

async function begin(world: SimWorld): Promise<void> {
  world.startAll();
  const hosts = [...world.machines.keys()];
  const applied = world.apply(
    ...hosts.map(hostResource),
    switchResource(hosts),
    ...GROUPS.map((name) => groupResource(world, name)),
  );
  let done = false;
  void applied.then((answer) => (done = answer?.ok === true));
  await until(world, 'the beginning', 30_000, () => (done ? null : 'nothing was applied'));
  for (const guest of world.guests.values())
    world.boot(guest, world.random.pick([...world.machines.values()]));
}

/** The weather clears, everybody runs: then everything must come true. */
async function end(world: SimWorld): Promise<void> {
  world.calmSince = world.now();
  Object.assign(world.weather, { loss: 0, drop: 0, duplicate: 0 });
  world.mover.failure = 0;
  Object.assign(world.words, { late: 0, twice: 0, lost: 0 });
  for (const machine of world.machines.values()) world.mover.monitorUp(machine);
  if (!world.server.up) world.server.start();
  for (const link of world.server.links) link.heal();
  for (const process of world.services()) {
    process.spare();
    process.wake();
  }
  for (const machine of world.machines.values()) {
    comeBack(world, machine);
    reconnect(world, machine);
  }
  for (const guest of world.guests.values()) endOne(world, guest);
  world.startAll();
  await until(world, 'the hypervisors', 20_000, () =>
    [...world.guests.values()].some((g) => g.moving) ? 'a guest is still being moved' : null,
  );
  if (await neverNoticed(world)) return;
  // What was asked for in the storm may only be done now: groups may still go.
  await until(world, 'the operator', 60_000, () => (world.asking > 0 ? 'no answer' : null));
  const wanting = new Set([...world.guests.values()].filter((g) => g.machine !== null));
  await until(world, 'hosts', 60_000, () => allBack(world));
  await until(world, 'groups', 100_000, () => reopened(world));
  restartStranded(world);
  for (const guest of wanting)
    if (guest.state === 'off') world.boot(guest, world.random.pick([...world.machines.values()]));
  await until(world, 'migrations', 100_000, () => running(world));
  await until(world, 'in the end', 60_000, () => notQuiet(world));
  world.traffic = false;
  await wait(world, 1_500);
  await until(world, 'in the end', 60_000, () => notQuiet(world));
  if (world.auditor.owesLineage)
    throw new Broken('the log is behind the documents, and no lineage was opened');
  checkReplicas(world);
  world.auditor.finish();
  await checkSwitches(world);
  await checkLedgers(world);
}

/** The log was put back with all else, and nobody leads who had read more of it: then nobody can tell. */
async function neverNoticed(world: SimWorld): Promise<boolean> {
  if (!world.auditor.isReturned || world.auditor.owesLineage) return false;
  await wait(world, 10_000);
  return world.auditor.isReturned;
}

/** A migration of which nobody knows how it ended waits for the operator's word. */
function running(world: SimWorld): string | null {
  for (const m of world.auditor.state.migrations.values()) {
    if (hasEnded(m.phase)) continue;
    const guest = world.guests.get(m.owner);
    const isLost = m.phase === 'moving' && m.origin === 'operator' && guest?.moving !== true;
    if (isLost || (m.phase === 'unknown' && guest?.machine !== m.destination))
      void world.command(
        { type: 'AbortMigration', migration: m.id, reason: 'the guest is not at the destination' },
        1,
      );
    else if (m.phase === 'unknown') unblock(world, m);
    return `${m.id} of ${m.owner} (${m.origin}) from ${m.source} to ${m.destination} is ${m.phase}, outcome ${m.outcome}; the guest is ${world.guests.get(m.owner)?.state} at ${world.guests.get(m.owner)?.machine}`;
  }
  return null;
}

/** A guest whose frames are all dropped is not seen to arrive: the operator knows that it is there, and lets it speak. */
function unblock(world: SimWorld, { ports }: Migration): void {
  const { state } = world.auditor;
  for (const { port: id } of ports) {
    const port = state.ports.get(id);
    if (port === undefined || port.standby === null) continue;
    const group = state.groups.get(port.group);
    if (port.override.blocked === true)
      void world.command({ type: 'SetPort', port: id, override: { ...port.override, blocked: false } }, 1);
    else if (group?.policy.blocked === true)
      void world.apply(groupResource(world, group.name, { ports: group.ports }));
  }
}

/** Why not everything has come true yet. */
function notQuiet(world: SimWorld): string | null {
  const { auditor } = world;
  const still = running(world);
  if (still !== null) return still;
  if (!world.managers.some((m) => m.service?.manager.leads)) return 'nobody leads';
  for (const [host, agent] of world.agents) {
    const report = world.reports.get(host);
    if (agent === null || agent.last === null) return `${host} holds nothing`;
    if (agent.last.received !== auditor.revision || agent.last.stale)
      return `${host} holds ${agent.last.received}, the log is at ${auditor.revision}`;
    if (report?.realised !== auditor.revision)
      return `${host} realised ${report?.realised}, the log is at ${auditor.revision}`;
    if (report.exceptions.length > 0) return `${host} reports ${JSON.stringify(report.exceptions)}`;
    if (!agent.isLeased) return `${host} has no lease`;
    if ((agent.journal?.pending ?? 0) > 0)
      return `${host} has ${agent.journal?.pending} facts that the log has not`;
  }
  for (const port of auditor.state.ports.values()) {
    for (const { host } of port.retiring) world.giveUp(host);
    if (port.retiring.length > 0) return `${port.id} still retires ${JSON.stringify(port.retiring)}`;
  }
  for (const [name, machine] of world.machines)
    for (const guest of world.guests.values())
      if (guest.machine !== name && machine.hasRemains(guest))
        return `something of ${guest.owner} is left at ${name}`;
  for (const { guest, spec } of world.nics) {
    const id = auditor.state.byIface.get(spec.ifaceId as never);
    const active = id === undefined ? undefined : auditor.state.ports.get(id)?.active?.host;
    if ((active ?? null) !== guest.machine)
      return `${spec.ifaceId} is at ${guest.machine}, its port at ${active}`;
  }
  for (const service of followers(world)) {
    if (service.follower.status !== 'live') return `${service.process.name} does not follow`;
    if (service.follower.revision !== auditor.revision)
      return `${service.process.name} is at ${service.follower.revision}, the log at ${auditor.revision}`;
  }
  if (world.asking > 0) return 'the operator waits for an answer';
  if (world.facts.open > 0) return 'facts wait in the stream';
  return null;
}

const followers = (world: SimWorld) =>
  [...world.managers, ...world.coordinators].flatMap(({ service }) => (service === null ? [] : [service]));

function checkReplicas(world: SimWorld): void {
  const right = world.auditor.digest();
  for (const service of followers(world)) {
    if (stateDigest(service.follower.state, stateCodec, clusterRules.hash) !== right)
      throw new Broken(`${service.process.name} holds another state`);
  }
}

/** What stands on each switch is what the documents say, compiled from nothing. */
async function checkSwitches(world: SimWorld): Promise<void> {
  const { auditor } = world;
  const { lineage, revision } = auditor;
  if (lineage === undefined) throw new Broken('there is no lineage');
  const documents = projectAll({ ...auditor.state, lineage, revision }, handoverToken);
  for (const agent of world.agents.values()) {
    if (agent === null || agent.memory === null) throw new Broken('an agent does not run');
    const { machine } = agent;
    const mine = [...documents].filter(
      ([key]) => key.startsWith('s.') || key.startsWith(`h.${machine.name}.`),
    );
    const desired = desiredOf(new Map(mine as never));
    if (desired === null) throw new Broken(`${machine.name} has no document`);
    const facts = { host: agent.host, ...agent.memory.localFacts() };
    const bridges = [...machine.switch.bridges.values()].map((b) => b.observe());
    const interfaces = machine.switch.interfaces();
    const { steps } = planOf(compile(desired, { ...facts, interfaces }), facts, { bridges, interfaces });
    const doing = steps.filter((s) => s.kind !== 'purge' && s.kind !== 'effective');
    if (doing.length > 0)
      throw new Broken(
        `the switch of ${machine.name} is not what the documents say: ${JSON.stringify(doing, big).slice(0, 2_000)}`,
      );
    if (machine.switch.faults.length > 0)
      throw new Broken(`${machine.name}: ${machine.switch.faults.join('; ')}`);
  }
  await Promise.resolve();
}

const big = (_k: string, v: unknown): unknown => (typeof v === 'bigint' ? `${v}` : v);
