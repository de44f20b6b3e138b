import { encodeFrame, numbered, numberOf } from '../model/encode.js';
import { Model } from '../model/model.js';
import { type Arrival, type Delivery, type World } from '../model/world.js';
import { isInOrder, type Case } from '../cases/case.js';
import { worldAfter, type Event } from '../cases/events.js';
import { Undecidable } from '../model/limits.js';
import { documentsOf } from './documents.js';
import { type Wrong } from './rig-host.js';
import { type Rig } from './rig.js';
import { readTrace } from './trace.js';

/** Where the model and the switch part. Frames are written as `device octets`. */
export interface Disagreement {
  readonly by: 'compile' | 'trace' | 'packets';
  readonly at: string;
  readonly expected: readonly string[];
  readonly actual: readonly string[];
  readonly detail?: string;
}

export interface JudgeOptions {
  readonly wrong?: Wrong;
  /** False: by traces alone. */
  readonly packets?: boolean;
  readonly onTrace?: (host: string, text: string, expected: readonly Delivery[]) => void;
}

/** A frame that came out: by which device, its octets. */
type Out = readonly [device: string, octets: string];

/** Installs a case's world and holds the switch to the model; undefined: they agree. */
export async function judge(
  rig: Rig,
  c: Case,
  options: JudgeOptions = {},
): Promise<Disagreement | undefined> {
  const { world, rounds } = c;
  await begin(rig, c, false);
  const refused = await install(rig, world, options);
  if (refused !== undefined) return refused;
  const parted = await byTrace(rig, world, rounds[0] ?? [], options);
  if (parted !== undefined || options.packets === false) return parted;
  if (isInOrder(c)) {
    await begin(rig, c, true);
    await install(rig, world, options);
  }
  // A trace of a whole frame enters its connection as if the frame had come.
  for (const { name } of world.hosts) await rig.host(name).forgetConnections();
  try {
    return await byPackets(rig, c, options);
  } catch (cause) {
    // What remains of the case hangs on how quick this machine was.
    if (cause instanceof Undecidable) return undefined;
    throw cause;
  }
}

/** Agents that know nothing, and where it matters what came before, switches as well. */
async function begin(rig: Rig, c: Case, hears: boolean): Promise<void> {
  await Promise.all(
    c.world.hosts.map(async ({ name }) => {
      const host = rig.host(name);
      await host.anew(hears, isInOrder(c) ? rig.empty(name) : undefined);
      if (c.kind === 'learning') await host.forgetLearned();
    }),
  );
}

async function install(rig: Rig, world: World, { wrong }: JudgeOptions): Promise<Disagreement | undefined> {
  const model = new Model(world, { remembers: false });
  const found = await Promise.all(
    world.hosts.map(async (spec) => {
      const host = rig.host(spec.name);
      await host.setDown(spec.down);
      const { exceptions } = await host.carryOut(documentsOf(world, spec), wrong);
      await host.settle();
      const actual = exceptions.map((e) => `${e.object} ${e.code}`).sort();
      const expected = model.refusedBy(spec.name);
      if (actual.join() === expected.join()) return [];
      const detail = exceptions.map((e) => `${e.object}: ${e.reason}`).join('\n');
      return [{ by: 'compile', at: spec.name, expected, actual, detail } as const];
    }),
  );
  return found.flat()[0];
}

/** Each frame as the first of its connection: a trace knows of no other. */
async function byTrace(
  rig: Rig,
  world: World,
  arrivals: readonly Arrival[],
  { onTrace }: JudgeOptions,
): Promise<Disagreement | undefined> {
  const model = new Model(world, { remembers: false });
  const waiting = arrivals.filter((arrival) => isWhole(arrival, world));
  for (let arrival = waiting.shift(); arrival !== undefined; arrival = waiting.shift()) {
    const { host, device, frame } = arrival;
    const expected = model.receive(arrival);
    const text = await rig.host(host).trace(device, encodeFrame(frame, 0));
    onTrace?.(host, text, expected);
    const traced = readTrace(text, frame, rig.host(host).datapath);
    const actual = traced.map((t): Out => [t.device, encodeFrame(t.frame, 0)]);
    const parted = compare(expected, actual, 0);
    if (parted !== undefined) return { by: 'trace', at: told(arrival), ...parted, detail: text };
    for (const t of traced)
      waiting.push(...carried(world, host, t.device).map((to) => ({ ...to, frame: t.frame })));
  }
  return undefined;
}

/** Real frames, a round at a time, and once more those that uplinks sent to other uplinks. */
async function byPackets(rig: Rig, c: Case, options: JudgeOptions): Promise<Disagreement | undefined> {
  const { world, rounds, events } = c;
  const state: Sending = { rig, case: c, world, model: new Model(world, { remembers: true }), next: 1 };
  const worlds = [world, ...events.map((event) => worldAfter(world, event))];
  for (const [i, round] of rounds.entries()) {
    for (const event of events.filter(({ before }) => before === i)) {
      const refused = await happens(state, event, options);
      if (refused !== undefined) return refused;
    }
    const sendable = round.filter((a) => canCome(a, state.world) && worlds.every((w) => isWhole(a, w)));
    const found = await (isInOrder(c) ? sendInOrder(state, sendable) : sendRound(state, sendable));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function happens(
  state: Sending,
  event: Event,
  options: JudgeOptions,
): Promise<Disagreement | undefined> {
  const { rig, model } = state;
  if ('passes' in event) {
    for (const { name } of state.world.hosts) await rig.host(name).pass(event.passes);
    model.pass(event.passes);
    return undefined;
  }
  state.world = worldAfter(state.world, event);
  const refused = await install(rig, state.world, options);
  model.become(state.world);
  return refused;
}

/** One frame after the other, and what comes of it by other uplinks behind all that was to come. */
async function sendInOrder(
  { rig, case: { kind }, world, model, next }: Sending,
  arrivals: readonly Arrival[],
): Promise<Disagreement | undefined> {
  const waiting: Sent[] = arrivals.map((a) => ({ ...a, octets: encodeFrame(a.frame, 0) }));
  for (let arrival = waiting.shift(); arrival !== undefined; arrival = waiting.shift()) {
    const host = rig.host(arrival.host);
    const number = next++;
    if (kind === 'learning') await host.forgetDecisions();
    const earliest = performance.now();
    const got = await host.run([[arrival.device, numbered(arrival.octets, number)]]);
    const latest = performance.now();
    if (kind === 'groups') got.push(...(await host.answered()));
    const expected = model.receive(arrival, { earliest, latest });
    const parted = compare(expected, got, number);
    if (parted !== undefined) return { by: 'packets', at: told(arrival), ...parted };
    waiting.push(...got.flatMap((out) => onward(world, arrival.host, out, expected, number)));
  }
  return undefined;
}

async function sendRound(state: Sending, arrivals: readonly Arrival[]): Promise<Disagreement | undefined> {
  let sent: readonly Sent[] = arrivals.map((arrival) => ({
    ...arrival,
    octets: encodeFrame(arrival.frame, 0),
  }));
  while (sent.length > 0) {
    const result = await sendAll(state, sent);
    if (!Array.isArray(result)) return result as Disagreement;
    sent = result as Sent[];
  }
  return undefined;
}

type Sent = Arrival & { readonly octets: string };

interface Sending {
  readonly rig: Rig;
  readonly case: Case;
  readonly model: Model;
  /** As it is now. */
  world: World;
  /** Of the next frame. */
  next: number;
}

async function sendAll(state: Sending, arrivals: readonly Sent[]): Promise<Sent[] | Disagreement> {
  const { rig, world, model } = state;
  const further: Sent[] = [];
  for (const { name } of world.hosts) {
    const here = arrivals.filter((a) => a.host === name).map((a) => ({ ...a, number: state.next++ }));
    const got = await rig.host(name).run(here.map((a) => [a.device, numbered(a.octets, a.number)]));
    for (const arrival of here) {
      const expected = model.receive(arrival);
      const actual = got.filter(([, octets]) => numberOf(octets) === arrival.number);
      const parted = compare(expected, actual, arrival.number);
      if (parted !== undefined) return { by: 'packets', at: told(arrival), ...parted };
      further.push(...actual.flatMap((out) => onward(world, name, out, expected, arrival.number)));
    }
    const strange = got.filter(([, octets]) => !here.some((a) => a.number === numberOf(octets)));
    if (strange.length > 0) return { by: 'packets', at: name, expected: [], actual: strange.map(shown) };
  }
  return further;
}

/** What came out by an uplink, as it comes to the others. */
function onward(
  world: World,
  host: string,
  [device, octets]: Out,
  expected: readonly Delivery[],
  number: number,
): Sent[] {
  const frame = expected.find(
    (d) => d.devices.includes(device) && encodeFrame(d.frame, number) === octets,
  )?.frame;
  return frame === undefined ? [] : carried(world, host, device).map((to) => ({ ...to, frame, octets }));
}

/** Every frame of an uplink of `lan` comes to all its other uplinks with a link, of whatever host: the worst there is. */
function carried(world: World, host: string, device: string): Pick<Arrival, 'host' | 'device'>[] {
  const uplinks = world.hosts.flatMap((spec) =>
    Object.values(spec.members['lan'] ?? {})
      .filter((d) => !spec.down.includes(d))
      .map((d) => ({ host: spec.name, device: d })),
  );
  const isOne = uplinks.some((u) => u.host === host && u.device === device);
  return isOne ? uplinks.filter((u) => u.host !== host || u.device !== device) : [];
}

/** Nothing comes by a link that is down. */
const canCome = ({ host, device }: Arrival, { hosts }: World): boolean =>
  hosts.find(({ name }) => name === host)?.down.includes(device) !== true;

/** A switch that tracks connections keeps fragments back until it has all of them, and those of traces with them. */
function isWhole({ frame: { body } }: Arrival, world: World): boolean {
  if (body.kind !== 'ip' || body.fragment === undefined) return true;
  const policies = [world.switches, world.groups].flat().map((x) => x.policy);
  const overrides = world.hosts.flatMap((h) => h.ports).map((p) => p.override);
  return ![...policies, ...overrides].some((p) => p.filter?.stateful === true);
}

function compare(
  expected: readonly Delivery[],
  actual: readonly Out[],
  number: number,
): Pick<Disagreement, 'expected' | 'actual'> | undefined {
  const missing = expected.map(({ devices, frame }) => ({ devices, octets: encodeFrame(frame, number) }));
  const extra = actual.filter(([device, octets]) => {
    const at = missing.findIndex((m) => m.octets === octets && m.devices.includes(device));
    if (at >= 0) missing.splice(at, 1);
    return at < 0;
  });
  if (missing.length === 0 && extra.length === 0) return undefined;
  return {
    expected: expected.map((d) => `${d.devices.join('|')} ${encodeFrame(d.frame, number)}`),
    actual: actual.map(shown),
  };
}

const shown = ([device, octets]: Out): string => `${device} ${octets}`;
const told = ({ host, device, frame }: Arrival): string => `${host}/${device} ${JSON.stringify(frame)}`;
