import { type Brand } from './brand.js';
import { err, invalid, ok, type Result } from './result.js';

/**
 * Operator-given names are the identity of hosts, switches, groups and sets. They are used as NATS subject tokens,
 * so the alphabet is that of a DNS label: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
 */
export type HostName = Brand<string, 'HostName'>;
export type SwitchName = Brand<string, 'SwitchName'>;
export type GroupName = Brand<string, 'GroupName'>;
/** Of an address set or a set of ports: they share their names. */
export type SetName = Brand<string, 'SetName'>;
/** `p<number>`, given by the sequencer, never used again. */
export type PortId = Brand<string, 'PortId'>;
/** `m<number>`, given by the sequencer, never used again. */
export type MigrationId = Brand<string, 'MigrationId'>;
/** `e<number>`, given by the sequencer. */
export type EvacuationId = Brand<string, 'EvacuationId'>;
/** The `iface-id` of an interface: what libvirt calls `interfaceid`; any token of up to 128 characters. */
export type IfaceId = Brand<string, 'IfaceId'>;
/** uuid of one history of the log. Revisions compare within one lineage only. */
export type Lineage = Brand<string, 'Lineage'>;
/** Number of a commit within its lineage; the first is 1. */
export type Revision = Brand<number, 'Revision'>;
/** Binding epoch: the fencing token of a port; only grows; 0 is never bound. */
export type Epoch = Brand<number, 'Epoch'>;

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const IFACE_ID = /^[A-Za-z0-9_.:-]{1,128}$/;

export const NAME_RULE = '1 to 63 lower-case letters, digits and inner hyphens';

function name<T extends string>(text: unknown, field: string): Result<T> {
  if (typeof text !== 'string' || !NAME.test(text)) {
    return err(invalid(field, text, 'is not a name', NAME_RULE));
  }
  return ok(text as T);
}

export const parseHostName = (text: unknown, field = 'host'): Result<HostName> => name(text, field);
export const parseSwitchName = (text: unknown, field = 'switch'): Result<SwitchName> => name(text, field);
export const parseGroupName = (text: unknown, field = 'group'): Result<GroupName> => name(text, field);
export const parseSetName = (text: unknown, field = 'set'): Result<SetName> => name(text, field);

export function parseIfaceId(text: unknown, field = 'ifaceId'): Result<IfaceId> {
  if (typeof text !== 'string' || !IFACE_ID.test(text)) {
    return err(invalid(field, text, 'is not an interface id', '1 to 128 letters, digits and _ . : -'));
  }
  return ok(text as IfaceId);
}

export function parsePortId(text: unknown, field = 'port'): Result<PortId> {
  if (typeof text !== 'string' || !/^p[1-9][0-9]{0,14}$/.test(text)) {
    return err(invalid(field, text, 'is not a port id', 'p and a number, as in p17'));
  }
  return ok(text as PortId);
}

export function parseMigrationId(text: unknown, field = 'migration'): Result<MigrationId> {
  if (typeof text !== 'string' || !/^m[1-9][0-9]{0,14}$/.test(text)) {
    return err(invalid(field, text, 'is not a migration id', 'm and a number, as in m3'));
  }
  return ok(text as MigrationId);
}

export function parseEvacuationId(text: unknown, field = 'evacuation'): Result<EvacuationId> {
  if (typeof text !== 'string' || !/^e[1-9][0-9]{0,14}$/.test(text)) {
    return err(invalid(field, text, 'is not an evacuation id', 'e and a number, as in e3'));
  }
  return ok(text as EvacuationId);
}
