import { type ObservedInterface } from '#openflow';
import { type CompileException, type LocalFacts, type PnicFacts } from '../types.js';

type Mapping = Readonly<Record<string, string>>;

/** Told of an uplink. */
type Word = Pick<CompileException, 'code' | 'reason'>;

/**
 * The devices of a switch that may be its uplinks, and an exception for each that is not as it must be. One that serves
 * something else is not plugged; one that is plugged carries traffic, so it stays, and it is only told.
 */
export function judgePnics(
  { switch: name, uplinks }: { readonly switch: string; readonly uplinks: Mapping },
  onBridge: readonly ObservedInterface[],
  pnics: LocalFacts['pnics'],
): { readonly uplinks: Mapping; readonly exceptions: readonly CompileException[] } {
  if (pnics === undefined) return { uplinks, exceptions: [] };
  const exceptions: CompileException[] = [];
  const fit = Object.entries(uplinks).filter(([uplink, device]) => {
    const stands = onBridge.some((i) => i.name === device);
    const found = pnics[device] ?? NOTHING;
    const word = (stands ? null : refused(device, found)) ?? advised(device, found);
    if (word !== null) {
      const reason = `uplink ${uplink}: device ${device} ${word.reason}`;
      exceptions.push({ ...word, port: null, object: `switch/${name}`, reason });
    }
    return word?.code !== 'uplink-in-use';
  });
  return { uplinks: Object.fromEntries(fit), exceptions };
}

const NOTHING: PnicFacts = { addresses: [] };

function refused(device: string, found: PnicFacts): Word | null {
  const wrong = mistakes(device, found);
  if (wrong.length === 0) return null;
  return { code: 'uplink-in-use', reason: `is not plugged: it ${wrong.join('; it ')}` };
}

function advised(device: string, found: PnicFacts): Word | null {
  const wrong = [...mistakes(device, found), ...slips(device, found)];
  return wrong.length === 0 ? null : { code: 'uplink-advice', reason: wrong.join('; it ') };
}

/** What no uplink may be, and how it is mended. */
function mistakes(device: string, { master, addresses, lro }: PnicFacts): string[] {
  const wrong: string[] = [];
  if (master !== undefined)
    wrong.push(
      `belongs to ${master.kind} ${master.name}, which takes its frames: take it out of there (ip link set ${device} nomaster)`,
    );
  if (addresses.length > 0)
    wrong.push(
      `has the address ${someOf(addresses)}, by which the host answers on its guests' network: an uplink has none (ip address flush dev ${device}), or map another device`,
    );
  if (lro === true)
    wrong.push(
      `merges the frames that it receives (LRO), and the switch can't send on what is merged: turn it off (ethtool -K ${device} lro off)`,
    );
  return wrong;
}

/** What is better otherwise. */
const slips = (device: string, { gro }: PnicFacts): string[] =>
  gro === true
    ? [
        `merges the frames that it receives (GRO), which may become too large for the switch: turn it off (ethtool -K ${device} gro off)`,
      ]
    : [];

const TOLD = 3;
const someOf = (all: readonly string[]): string =>
  all.length <= TOLD ? all.join(', ') : `${all.slice(0, TOLD).join(', ')} and ${all.length - TOLD} more`;
