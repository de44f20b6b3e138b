import { type SwitchDocument } from '#contracts';
import { type ObservedInterface } from '#openflow';
import { type CompileException } from '../types.js';
import { type UplinkPlan } from './plan.js';

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
