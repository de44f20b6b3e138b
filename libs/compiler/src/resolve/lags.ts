import { type SwitchDocument } from '#contracts';
import { type ObservedInterface } from '#openflow';
import { fnv32 } from '../hash.js';
import { type CompileException } from '../types.js';
import { type LagMembership, type LagPlan } from './plan.js';

type Mapping = Readonly<Record<string, string>>;

/** LAGs of a switch on a host that has some of their uplinks; one uplink alone is none. */
export function resolveLags(
  doc: Pick<SwitchDocument, 'switch' | 'lags'>,
  mapping: Mapping,
): { readonly lags: readonly LagPlan[]; readonly exceptions: readonly CompileException[] } {
  const exceptions: CompileException[] = [];
  const lags = doc.lags.flatMap(({ name, uplinks, mode, fast }): LagPlan[] => {
    const devices = here(uplinks, mapping).sort();
    if (devices.length >= LEAST) return [{ name, mode, fast, devices, port: lagPort(doc.switch, name) }];
    if (devices.length === 1) {
      const reason = `LAG ${name} has one uplink here, ${devices.join()}, and needs two`;
      exceptions.push({ port: null, object: `switch/${doc.switch}`, code: 'lag-invalid', reason });
    }
    return [];
  });
  return { lags, exceptions };
}

/** What an uplink is in a LAG. */
export function membership(
  { lags }: Pick<SwitchDocument, 'lags'>,
  mapping: Mapping,
  uplink: string,
  { lacpCurrent }: ObservedInterface,
): LagMembership | undefined {
  const lag = lags.find(({ uplinks }) => uplinks.includes(uplink));
  if (lag === undefined) return undefined;
  const formed = here(lag.uplinks, mapping).length >= LEAST;
  return { name: lag.name, hash: lag.hash, formed, bundled: lacpCurrent === true };
}

const LEAST = 2;
const here = (uplinks: readonly string[], mapping: Mapping): string[] =>
  uplinks.flatMap((uplink) => mapping[uplink] ?? []);

/** Names of ports are unique on a host, and those of LAGs on a switch. */
const lagPort = (on: string, name: string): string =>
  `lag-${fnv32(`${on}/${name}`).toString(16).padStart(8, '0')}`;
