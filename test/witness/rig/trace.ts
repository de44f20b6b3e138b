import { type Frame } from '../model/frame.js';

/** What the datapath is told to do with a frame, as `ofproto/trace` writes it. */
interface Stage {
  /** The recirculation that leads here; undefined: none does. */
  readonly recirc: string | undefined;
  readonly actions: string;
}

export interface Traced {
  readonly device: string;
  readonly frame: Frame;
}

/** The frames that come out by what a trace says. `devices`: by their numbers in the datapath. */
export function readTrace(text: string, frame: Frame, devices: ReadonlyMap<number, string>): Traced[] {
  const stages = stagesOf(text);
  const out: Traced[] = [];
  const walk = (recirc: string | undefined, from: Frame, depth: number): void => {
    const stage = stages.find((s) => s.recirc === recirc);
    if (stage === undefined || depth > 8)
      throw new Error(`no way to ${recirc ?? 'the beginning'} in:\n${text}`);
    carryOut(
      split(stage.actions),
      from,
      (device, as) => out.push({ device: nameOf(devices, device), frame: as }),
      (id, as) => walk(id, as, depth + 1),
    );
  };
  walk(undefined, frame, 0);
  return out;
}

function nameOf(devices: ReadonlyMap<number, string>, number: number): string {
  const name = devices.get(number);
  if (name === undefined) throw new Error(`no device has the datapath's number ${number}`);
  return name;
}

function stagesOf(text: string): Stage[] {
  const parts = text.split(/^=+\nrecirc\((0x[0-9a-f]+)\)[^\n]*\n=+\n/m);
  const stages: Stage[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const actions = /^Datapath actions: (.*)$/m.exec(parts[i] ?? '')?.[1];
    if (actions === undefined) throw new Error(`a trace without datapath actions:\n${text}`);
    stages.push({ recirc: i === 0 ? undefined : parts[i - 1], actions });
  }
  return stages;
}

/** At commas that are in no parentheses. */
function split(actions: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= actions.length; i += 1) {
    const c = actions[i];
    if (c === '(') depth += 1;
    if (c === ')') depth -= 1;
    if ((c === ',' && depth === 0) || c === undefined) {
      if (i > from) out.push(actions.slice(from, i));
      from = i + 1;
    }
  }
  return out;
}

function carryOut(
  actions: readonly string[],
  frame: Frame,
  output: (device: number, frame: Frame) => void,
  recirculate: (id: string, frame: Frame) => void,
): void {
  let now = frame;
  for (const action of actions) {
    const [, name = '', inside = ''] = /^([a-z_0-9]+)(?:\((.*)\))?$/.exec(action) ?? [];
    if (/^[0-9]+$/.test(name)) output(Number(name), now);
    else if (name === 'recirc') recirculate(inside, now);
    else if (name === 'clone') carryOut(split(inside), now, output, recirculate);
    else if (name === 'push_vlan') now = { ...now, tags: [tagOf(inside), ...now.tags] };
    else if (name === 'pop_vlan') now = { ...now, tags: now.tags.slice(1) };
    else if (name === 'set') now = withField(now, inside);
    else if (!(WITHIN.has(name) || isNotice(action))) throw new Error(`a strange action: ${action}`);
  }
}

/** Actions that change nothing of what comes out. */
const WITHIN: ReadonlySet<string> = new Set(['meter', 'ct', 'ct_clear', 'drop']);
/** What the agent is told, with a meter of its own. */
const isNotice = (action: string): boolean =>
  /^sample\(sample=100\.0%,actions\(meter\([0-9]+\),userspace\([^,]*,controller\(.*\)\)\)\)$/.test(action);

function tagOf(text: string): { vid: number; pcp: number } {
  const [, vid, pcp] = /^vid=([0-9]+),pcp=([0-9]+)$/.exec(text) ?? [];
  if (vid === undefined || pcp === undefined) throw new Error(`a strange tag: ${text}`);
  return { vid: Number(vid), pcp: Number(pcp) };
}

/** The class is all that may be written. */
function withField(frame: Frame, text: string): Frame {
  const [, tos] = /^ipv[46]\((?:tos|tclass)=(0x[0-9a-f]+|[0-9]+)(?:\/0xfc)?\)$/.exec(text) ?? [];
  if (tos === undefined || frame.body.kind !== 'ip') throw new Error(`a strange field: ${text}`);
  return { ...frame, body: { ...frame.body, dscp: Number(tos) >> 2 } };
}
