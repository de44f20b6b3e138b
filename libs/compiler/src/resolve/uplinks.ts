import { type SwitchDocument } from '#contracts';
import { type Teaming } from '#domain';
import { type ObservedInterface } from '#openflow';
import { fnv32 } from '../hash.js';
import { type CompileException } from '../types.js';
import { type TeamPlan, type UplinkPlan } from './plan.js';

/** The number that the switch gave, when it is a real port. Reserved numbers start at 0xff00. */
export function realOfport(iface: ObservedInterface): number | undefined {
  const n = iface.ofport;
  return n !== undefined && Number.isInteger(n) && n > 0 && n < 0xff00 ? n : undefined;
}

/** Uplinks that the switch has opened, and an exception for each that it has not. */
export function resolveUplinks(
  doc: SwitchDocument,
  mapping: Readonly<Record<string, string>>,
  onBridge: readonly ObservedInterface[],
): { uplinks: UplinkPlan[]; exceptions: CompileException[] } {
  const uplinks: UplinkPlan[] = [];
  const exceptions: CompileException[] = [];
  doc.uplinks.forEach((name, index) => {
    const device = mapping[name];
    if (device === undefined) return;
    const iface = onBridge.find((i) => i.name === device);
    const ofport = iface === undefined ? undefined : realOfport(iface);
    if (ofport !== undefined) {
      uplinks.push({ name, key: index + 1, device, ofport });
      return;
    }
    const why =
      iface?.error ?? (iface === undefined ? 'not plugged yet' : 'the switch gave it no number yet');
    exceptions.push({
      port: null,
      object: `switch/${doc.switch}`,
      code: 'uplink-missing',
      reason: `uplink ${name}: device ${device}: ${why}`,
    });
  });
  return { uplinks, exceptions };
}

/** The opened uplinks of an order, active ones first, or why there is none. */
export function resolveTeam(
  teaming: Teaming,
  mapping: Readonly<Record<string, string>>,
  uplinks: readonly UplinkPlan[],
): TeamPlan | { readonly missing: string } | undefined {
  if (Object.keys(mapping).length === 0) return undefined;
  const order = [...new Set([...teaming.active, ...teaming.standby])];
  const opened = order.flatMap((name) => uplinks.filter((u) => u.name === name));
  if (opened.length > 0) return { id: teamId(opened), uplinks: opened };
  if (order.length === 0) return { missing: 'its teaming names no uplink' };
  return { missing: `no uplink of its teaming is there: ${order.join(', ')}` };
}

/**
 * A number that depends on the order alone, so that teams that come and go leave the others' flows as they are: the
 * keys as hexadecimal digits (uplinks 2, 1 → 0x21), hashed where that does not fit.
 */
function teamId(order: readonly UplinkPlan[]): number {
  if (order.length <= 7 && order.every((u) => u.key <= 15)) {
    return order.reduce((id, u) => id * 16 + u.key, 0);
  }
  return 0x8000_0000 + (fnv32(order.map((u) => u.key).join('>')) >>> 2);
}
