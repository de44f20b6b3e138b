import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import {
  err,
  invalid,
  ok,
  parseGroupName,
  parseIfaceId,
  parseMac,
  parseSwitchName,
  parseUnicastMac,
  type Result,
} from '#kernel';
import { type FabricPeer } from './hypervisor/fabric.js';
import { type GuestMemory, type GuestSpec } from './hypervisor/guest.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A simulated host: its pNICs, the network between hosts, and the guests that run on it at first. */
export interface Simulation {
  readonly uplinks: readonly string[];
  readonly fabric: { readonly listen: string; readonly peers: readonly FabricPeer[] } | null;
  readonly migration: {
    readonly listen: Address;
    readonly peers: ReadonlyMap<string, Address>;
    readonly copyMs: number;
  } | null;
  readonly guests: readonly GuestSpec[];
}

/** Reads a simulation file, YAML or JSON. A fault names the file and the field. */
export async function loadSimulation(path: string): Promise<Result<Simulation>> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    return err(invalid('simulation', path, `can't be read: ${String(cause)}`, 'a YAML or JSON file'));
  }
  return parseSimulation(value);
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (v: unknown): v is Fields => typeof v === 'object' && v !== null && !Array.isArray(v);

export function parseSimulation(value: unknown): Result<Simulation> {
  if (!isFields(value)) return err(invalid('simulation', value, 'is not an object'));
  const { uplinks = [], fabric = null, migration = null, guests = [] } = value;
  if (!Array.isArray(uplinks) || !uplinks.every((u) => typeof u === 'string' && /^[\w.-]{1,15}$/.test(u))) {
    return err(invalid('uplinks', uplinks, 'is not a list of device names'));
  }
  const net = parseFabric(fabric);
  if (!net.ok) return net;
  const moves = parseMigration(migration);
  if (!moves.ok) return moves;
  if (!Array.isArray(guests)) return err(invalid('guests', guests, 'is not a list'));
  const parsed: GuestSpec[] = [];
  for (const [i, guest] of guests.entries()) {
    const one = parseGuest(guest, `guests[${i}]`);
    if (!one.ok) return one;
    parsed.push(one.value);
  }
  return ok({ uplinks: uplinks as string[], fabric: net.value, migration: moves.value, guests: parsed });
}

/** Also checks guests that arrive from another simulated host. */
export function parseGuest(value: unknown, at: string): Result<GuestSpec> {
  if (!isFields(value)) return err(invalid(at, value, 'is not an object'));
  const { owner, pps, limit, peer, waits } = value;
  if (typeof owner !== 'string' || !/^[\w.-]{1,64}$/.test(owner))
    return err(invalid(`${at}.owner`, owner, 'is not a name'));
  const ifaceId = parseIfaceId(value['ifaceId'], `${at}.ifaceId`);
  const mac = parseUnicastMac(value['mac'], `${at}.mac`);
  const profile = parseGroupName(value['profile'], `${at}.profile`);
  const onSwitch = parseSwitchName(value['switch'], `${at}.switch`);
  const to = peer === undefined ? null : parseMac(peer, `${at}.peer`);
  for (const r of [ifaceId, mac, profile, onSwitch, to]) if (r !== null && !r.ok) return r;
  if (!ifaceId.ok || !mac.ok || !profile.ok || !onSwitch.ok || (to !== null && !to.ok)) {
    return err(invalid(at, value, 'is not a guest'));
  }
  if (typeof pps !== 'number' || !(pps >= 0 && pps <= 100_000)) {
    return err(invalid(`${at}.pps`, pps, 'is not a rate', '0 to 100000 frames a second'));
  }
  if (limit !== undefined && (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0)) {
    return err(invalid(`${at}.limit`, limit, 'is not a number of frames', 'a whole number'));
  }
  if (waits !== undefined && typeof waits !== 'boolean') {
    return err(invalid(`${at}.waits`, waits, 'is not true or false'));
  }
  return ok({
    owner,
    ifaceId: ifaceId.value,
    mac: mac.value,
    profile: profile.value,
    switch: onSwitch.value,
    pps,
    ...(limit === undefined ? {} : { limit }),
    ...(waits === undefined ? {} : { waits }),
    ...(to === null ? {} : { peer: to.value }),
  });
}

/** A guest's memory as it arrives from another host, or from disk. */
export function parseMemory(value: unknown): Result<GuestMemory> {
  const isCount = (v: unknown) => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0;
  if (
    !isFields(value) ||
    !isCount(value['sent']) ||
    !isCount(value['number']) ||
    !isCount(value['received'])
  ) {
    return err(
      invalid('memory', value, 'is not a guest’s memory', 'sent, number and received as whole numbers'),
    );
  }
  return ok(value as unknown as GuestMemory);
}

function parseFabric(value: unknown): Result<Simulation['fabric']> {
  if (value === null) return ok(null);
  if (!isFields(value)) return err(invalid('fabric', value, 'is not an object'));
  const listen = parseAddress(value['listen'], 'fabric.listen');
  if (!listen.ok) return listen;
  const { peers } = value;
  if (!Array.isArray(peers)) return err(invalid('fabric.peers', peers, 'is not a list'));
  for (const [i, peer] of peers.entries()) {
    const at = parseAddress(isFields(peer) ? peer['address'] : undefined, `fabric.peers[${i}].address`);
    if (!at.ok) return at;
  }
  return ok({ listen: value['listen'] as string, peers: peers as FabricPeer[] });
}

function parseMigration(value: unknown): Result<Simulation['migration']> {
  if (value === null) return ok(null);
  if (!isFields(value)) return err(invalid('migration', value, 'is not an object'));
  const listen = parseAddress(value['listen'], 'migration.listen');
  if (!listen.ok) return listen;
  const { peers = {}, copyMs = 300 } = value;
  if (!isFields(peers)) return err(invalid('migration.peers', peers, 'is not a map of hosts to addresses'));
  if (typeof copyMs !== 'number' || !(copyMs >= 0 && copyMs <= 600_000)) {
    return err(invalid('migration.copyMs', copyMs, 'is not a duration', '0 to 600000 ms'));
  }
  const addresses = new Map<string, Address>();
  for (const [host, at] of Object.entries(peers)) {
    const address = parseAddress(at, `migration.peers.${host}`);
    if (!address.ok) return address;
    addresses.set(host, address.value);
  }
  return ok({ listen: listen.value, peers: addresses, copyMs });
}

function parseAddress(value: unknown, field: string): Result<Address> {
  const match = typeof value === 'string' ? /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}):(\d{1,5})$/.exec(value) : null;
  if (match === null)
    return err(invalid(field, value, 'is not a loopback address and port', '127.0.0.1:7501'));
  return ok({ host: match[1] ?? '', port: Number(match[2]) });
}

/** Guests as a simulated host saved them. */
export function parseSavedGuests(
  value: unknown,
): Result<readonly { readonly spec: GuestSpec; readonly memory: GuestMemory }[]> {
  if (!Array.isArray(value)) return err(invalid('guests', value, 'is not a list'));
  const saved: { spec: GuestSpec; memory: GuestMemory }[] = [];
  for (const [i, each] of value.entries()) {
    const spec = parseGuest(isFields(each) ? each['spec'] : undefined, `guests[${i}].spec`);
    if (!spec.ok) return spec;
    const memory = parseMemory(isFields(each) ? each['memory'] : undefined);
    if (!memory.ok) return memory;
    saved.push({ spec: spec.value, memory: memory.value });
  }
  return ok(saved);
}
