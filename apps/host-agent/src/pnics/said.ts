import { err, invalid, ok, type Result } from '#kernel';
import { type PnicFacts } from '#compiler';

/** Which device a line of `ip -o monitor link address` is about; undefined: the line says something else. */
export function deviceIn(line: string): string | undefined {
  // What a device is stacked on follows its name, after an `@`.
  return /^(?:Deleted )?[0-9]+: +([^\s:@]+)[\s:@]/.exec(line)?.[1];
}

/** What `ip -j -d address show` says of the devices that are there. */
export function devicesIn(text: string): Result<ReadonlyMap<string, PnicFacts>> {
  const rows = parsed(text);
  if (!Array.isArray(rows))
    return err(invalid('ip', text.slice(0, 100), 'is not a list', 'a list of devices'));
  const devices = new Map<string, PnicFacts>();
  for (const row of rows) {
    const name = textIn(row, 'ifname');
    if (name !== undefined) devices.set(name, { ...masterOf(row), addresses: addressesOf(row) });
  }
  return ok(devices);
}

/** What `ethtool -k` says of how received frames are merged. */
export function mergingIn(text: string): Pick<PnicFacts, 'lro' | 'gro'> {
  const isOn = (feature: string): boolean => new RegExp(`^${feature}: on\\b`, 'm').test(text);
  return {
    ...(isOn('large-receive-offload') ? { lro: true } : {}),
    ...(isOn('generic-receive-offload') ? { gro: true } : {}),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by whoever finds that it is no list.
    return undefined;
  }
}

/** The kernel's own datapath is a master, too; whether it is another bridge than ours is known from its database. */
function masterOf(row: unknown): Pick<PnicFacts, 'master'> {
  const name = textIn(row, 'master');
  const kind = textIn(fieldOf(row, 'linkinfo'), 'info_slave_kind') ?? 'device';
  return name === undefined || kind === 'openvswitch' ? {} : { master: { name, kind } };
}

/** Those of IPv6 that a device has by being up are nobody's intent. */
function addressesOf(row: unknown): readonly string[] {
  const list = fieldOf(row, 'addr_info');
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    const local = textIn(entry, 'local');
    const isOwn = textIn(entry, 'family') === 'inet6' && textIn(entry, 'scope') === 'link';
    const length = fieldOf(entry, 'prefixlen');
    return local === undefined || isOwn ? [] : [`${local}${typeof length === 'number' ? `/${length}` : ''}`];
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A name may hold what steers a terminal. */
function textIn(value: unknown, name: string): string | undefined {
  const found = fieldOf(value, name);
  return typeof found === 'string' ? found.slice(0, LONGEST).replaceAll(/\p{Cc}/gu, '\ufffd') : undefined;
}

const LONGEST = 64;
