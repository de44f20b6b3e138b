import { type SwitchDocument } from '#contracts';
import { type ObservedInterface } from '#openflow';
import { type CompileException, type ExceptionCode } from '../types.js';
import { membership } from './lags.js';
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
    if (iface !== undefined && ofport !== undefined) {
      uplinks.push({
        name,
        key: index + 1,
        device,
        ofport,
        ...macOf(iface),
        ...lagOf(doc, mapping, iface, name),
      });
      const small = tooSmall(iface, doc.mtu);
      if (small !== null)
        exceptions.push(exception(doc, 'uplink-mtu', `uplink ${name}: device ${device} ${small}`));
      return;
    }
    const why =
      iface?.error ?? (iface === undefined ? 'not plugged yet' : 'the switch gave it no number yet');
    exceptions.push(exception(doc, 'uplink-missing', `uplink ${name}: device ${device}: ${why}`));
  });
  return { uplinks, exceptions };
}

const exception = (
  { switch: name }: SwitchDocument,
  code: ExceptionCode,
  reason: string,
): CompileException => ({
  port: null,
  object: `switch/${name}`,
  code,
  reason,
});

/** Its ports stand all the same: what is not too large passes. */
function tooSmall({ mtu, mtuRequest }: ObservedInterface, wanted: number): string | null {
  if (mtu === undefined || mtu >= wanted) return null;
  const asked = mtuRequest === wanted ? 'and did not take more when asked' : 'and was not asked for more';
  return `has an MTU of ${mtu}, less than the switch's ${wanted}, ${asked}: larger frames are lost there. Give the device one of ${wanted}, or the switch one of at most ${mtu}`;
}

function macOf({ mac }: ObservedInterface): { readonly mac?: bigint } {
  return mac === undefined || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)
    ? {}
    : { mac: BigInt(`0x${mac.replaceAll(':', '')}`) };
}

function lagOf(
  doc: SwitchDocument,
  mapping: Readonly<Record<string, string>>,
  iface: ObservedInterface,
  uplink: string,
): Pick<UplinkPlan, 'lag'> {
  const lag = membership(doc, mapping, uplink, iface);
  return lag === undefined ? {} : { lag };
}
