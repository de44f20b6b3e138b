import { type Connectee } from '#domain';
import { type ObservedInterface } from '#openflow';
import { parseMac } from '#kernel';
import { type ExceptionCode } from '../types.js';
import { realOfport } from './uplinks.js';

export interface Refusal {
  readonly code: ExceptionCode;
  readonly reason: string;
}

/** Where a connectee is plugged: nowhere is not a fault. */
export type Plugged =
  | { readonly kind: 'absent'; readonly name?: undefined; readonly ofport?: undefined }
  | { readonly kind: 'here'; readonly name: string; readonly ofport?: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly name?: string; readonly ofport?: number };

/** What hypervisors write on interfaces, and what nobody may claim twice. */
export class Interfaces {
  private readonly byIfaceId = new Map<string, ObservedInterface[]>();

  constructor(interfaces: readonly ObservedInterface[]) {
    for (const iface of interfaces) {
      const id = iface.externalIds['iface-id'];
      if (id === undefined) continue;
      const same = this.byIfaceId.get(id);
      if (same === undefined) this.byIfaceId.set(id, [iface]);
      else same.push(iface);
    }
  }

  find(connectee: Connectee, bridge: string): Plugged {
    const named = this.byIfaceId.get(connectee.ifaceId) ?? [];
    // libvirt deletes the row of a guest that left up to two seconds after its device: the guest may be back by then.
    const live = named.filter((i) => i.error === undefined);
    const all = live.length > 0 ? live : named;
    const [iface] = all;
    if (iface === undefined) return { kind: 'absent' };
    if (all.length > 1) {
      const names = all.map((i) => i.name).sort();
      return refused('iface-duplicate', `iface-id ${connectee.ifaceId} is on ${names.join(' and ')}`);
    }
    if (iface.bridge !== bridge) {
      return refused('iface-wrong-bridge', `${iface.name} is plugged into ${iface.bridge}, not ${bridge}`);
    }
    if (iface.error !== undefined) return refused('iface-failed', `${iface.name}: ${iface.error}`);
    const ofport = realOfport(iface);
    const here = { name: iface.name, ...(ofport === undefined ? {} : { ofport }) };
    const attached = iface.externalIds['attached-mac'];
    if (attached !== undefined) {
      const mac = parseMac(attached);
      if (!mac.ok || mac.value !== connectee.mac) {
        const reason = `${iface.name} has MAC ${attached.slice(0, 32)}, the port's is ${connectee.mac}`;
        return { ...refused('mac-mismatch', reason), ...here };
      }
    }
    return { kind: 'here', ...here };
  }
}

const refused = (code: ExceptionCode, reason: string) =>
  ({ kind: 'refused', refusal: { code, reason } }) as const;
