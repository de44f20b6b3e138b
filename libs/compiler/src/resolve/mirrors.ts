import { type Mirror } from '#domain';
import { type PortDocument, type SwitchDocument } from '#contracts';
import { type Range } from '../ranges.js';
import { slotKey } from '../slots.js';
import { type CompileException } from '../types.js';
import { type BridgePlan, type MirrorCopy, type MirrorPlan, type PortPlan, type UplinkPlan } from './plan.js';

/** Tables that each copy to a mirror goes through. */
export const COPY_LOOKUPS = 2;

interface Resolved {
  readonly mirrors: readonly MirrorPlan[];
  readonly exceptions: readonly CompileException[];
}

/**
 * The mirrors whose copies have somewhere to go on this host. One to a port copies what passes on the host where that
 * port is, and nothing elsewhere.
 */
export function resolveMirrors(
  doc: SwitchDocument | undefined,
  uplinks: readonly UplinkPlan[],
  ports: readonly PortDocument[],
  slots: Readonly<Record<string, number>>,
): Resolved {
  const mirrors: MirrorPlan[] = [];
  const exceptions: CompileException[] = [];
  (doc?.mirrors ?? []).forEach((mirror, index) => {
    const refuse = (code: CompileException['code'], reason: string): undefined => {
      exceptions.push({
        port: null,
        object: `switch/${doc?.switch}`,
        code,
        reason: `mirror ${mirror.name}: ${reason}`,
      });
      return undefined;
    };
    const to = wayOf(mirror, uplinks, ports, slots, refuse);
    if (to === undefined) return;
    const { sources, snapLength, vlans } = mirror;
    const ranges = vlans === undefined ? {} : { ranges: rangesOf(vlans) };
    mirrors.push({ number: index + 1, sources, to, snapLength, ...ranges });
  });
  return { mirrors, exceptions };
}

function wayOf(
  { to, allowTraffic }: Mirror,
  uplinks: readonly UplinkPlan[],
  ports: readonly PortDocument[],
  slots: Readonly<Record<string, number>>,
  refuse: (code: CompileException['code'], reason: string) => undefined,
): MirrorPlan['to'] | undefined {
  if ('port' in to) {
    const target = ports.find(({ port, role }) => port === to.port && role !== 'retired');
    const slot = target && slots[slotKey(target.port, target.epoch)];
    return slot === undefined ? undefined : { kind: 'port', slot, alone: !allowTraffic };
  }
  if ('erspan' in to)
    return refuse(
      'not-enforceable',
      'a switch in userspace sends into a tunnel by a device of its own with an address only, and uplinks have none',
    );
  const there = to.uplinks.flatMap((name) => uplinks.filter((uplink) => uplink.name === name));
  if (there.length > 0) return { kind: 'uplinks', vlan: to.vlan, uplinks: there };
  return refuse('mirror-invalid', `none of its uplinks is there: ${to.uplinks.join(', ')}`);
}

/** What of a port is copied, and whether it is there for copies alone. A mirror never copies the port that it goes to. */
export function mirrorsOf(
  { port, group }: PortDocument,
  slot: number,
  mirrors: readonly MirrorPlan[],
): Pick<PortPlan, 'mirrors' | 'alone'> {
  const isTarget = ({ to }: MirrorPlan): boolean => to.kind === 'port' && to.slot === slot;
  const copied = (direction: 'in' | 'out'): MirrorCopy[] =>
    mirrors
      .filter((mirror) => !isTarget(mirror))
      .filter(({ sources }) =>
        sources.some(
          (s) =>
            (s.direction === 'both' || s.direction === direction) &&
            ('port' in s ? s.port === port : 'group' in s && s.group === group),
        ),
      )
      .map(copyOf);
  const both = { in: copied('in'), out: copied('out') };
  const isAlone = mirrors.some((mirror) => isTarget(mirror) && mirror.to.kind === 'port' && mirror.to.alone);
  return {
    ...(both.in.length + both.out.length === 0 ? {} : { mirrors: both }),
    ...(isAlone ? { alone: true } : {}),
  };
}

const copyOf = ({ number, to, ranges }: MirrorPlan): MirrorCopy => ({
  number,
  into: to.kind === 'port' ? 'port' : 'vlan',
  ...(ranges === undefined ? {} : { ranges }),
});

/** Mirrors of what comes (`in`) or leaves by an uplink. */
export const ofUplink = (
  { mirrors }: Pick<BridgePlan, 'mirrors'>,
  uplink: string,
  direction: 'in' | 'out',
): MirrorCopy[] =>
  mirrors
    .filter(({ sources }) =>
      sources.some(
        (s) => 'uplink' in s && s.uplink === uplink && (s.direction === 'both' || s.direction === direction),
      ),
    )
    .map(copyOf);

/** The fewest ranges that hold exactly these numbers. */
function rangesOf(numbers: readonly number[]): Range[] {
  const out: Range[] = [];
  for (const n of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = out.at(-1);
    if (last?.to === n - 1) out[out.length - 1] = { from: last.from, to: n };
    else out.push({ from: n, to: n });
  }
  return out;
}
