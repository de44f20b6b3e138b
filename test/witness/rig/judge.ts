import { encodeFrame, numbered, numberOf } from '../model/encode.js';
import { Model } from '../model/model.js';
import { type Arrival, type Delivery, type World } from '../model/world.js';
import { type Case } from '../cases/case.js';
import { type DataplaneState } from '#openflow';
import { documentsOf } from './documents.js';
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
  /** By host: what is installed instead of what was compiled. */
  readonly states?: ReadonlyMap<string, DataplaneState>;
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
  const refused = await install(rig, world, options);
  if (refused !== undefined) return refused;
  return (
    (await byTrace(rig, world, rounds[0] ?? [], options)) ??
    (options.packets === false ? undefined : await byPackets(rig, c))
  );
}

async function install(rig: Rig, world: World, { states }: JudgeOptions): Promise<Disagreement | undefined> {
  const model = new Model(world, { remembers: false });
  const found = await Promise.all(
    world.hosts.map(async (spec) => {
      const host = rig.host(spec.name);
      await host.setDown(spec.down);
      const { state, exceptions } = await host.compiled(documentsOf(world, spec));
      await host.become(states?.get(spec.name) ?? state);
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
async function byPackets(rig: Rig, { world, rounds, change }: Case): Promise<Disagreement | undefined> {
  const model = new Model(world, { remembers: true });
  const state = { rig, world, model, next: 1 };
  // A trace of a whole frame enters its connection as if the frame had come.
  for (const { name } of world.hosts) await rig.host(name).forgetConnections();
  for (const [i, round] of rounds.entries()) {
    if (change?.before === i) {
      const refused = await install(rig, change.world, {});
      if (refused !== undefined) return refused;
      model.become(change.world);
    }
    const sendable = round.filter((a) => isWhole(a, world) && isWhole(a, change?.world ?? world));
    const found = await sendRound(state, sendable);
    if (found !== undefined) return found;
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
  readonly world: World;
  readonly model: Model;
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
