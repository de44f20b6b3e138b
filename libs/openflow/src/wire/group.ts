import { type Bucket, type Group, type GroupSelection } from '../model.js';
import { readActions } from './actions-decode.js';
import { writeActions } from './actions.js';
import { DecodeFault, type Writer } from './bytes.js';
import { NTR, PORT } from './constants.js';
import { fieldOfHeader, wireField, type WireField } from './match.js';
import { type GroupMod } from './messages.js';
import { type Reader } from './reader.js';

const TYPES = ['all', 'select', 'indirect', 'fast-failover'] as const;
const COMMAND = { add: 0, modify: 1, delete: 2 } as const;
/** Names no bucket; the switch insists on it where whole groups are meant. */
const ALL_BUCKETS = 0xffffffff;
/** Property of another vendor's that names how a select group chooses, padded to 8 bytes. */
const EXPERIMENTER = 0xffff;
const SELECTION_METHOD = 1;
const METHOD_BYTES = 16;
const PROPERTY = { weight: 0, watchPort: 1, watchGroup: 2 } as const;

export function writeGroupMod(w: Writer, mod: GroupMod): void {
  const group: Group = mod.command === 'delete' ? { id: mod.id, type: 'all', buckets: [] } : mod.group;
  w.u16(COMMAND[mod.command]).u8(TYPES.indexOf(group.type)).u8(0).u32(group.id);
  const lengthAt = w.position;
  w.u16(0).u16(0).u32(ALL_BUCKETS);
  const start = w.position;
  writeBuckets(w, group);
  w.patch16(lengthAt, w.position - start);
  writeSelection(w, group.selection);
}

export function readGroupMod(reader: Reader): GroupMod {
  const command = reader.u16();
  const type = reader.u8();
  const id = reader.skip(1).u32();
  const length = reader.u16();
  const buckets = reader.skip(6).sub(length);
  if (command === COMMAND.delete) return { kind: 'group-mod', command: 'delete', id };
  if (command !== COMMAND.add && command !== COMMAND.modify) {
    return reader.foreign(`group-mod command ${command} is not in the model`);
  }
  const group = {
    id,
    type: groupType(reader, type),
    buckets: readBuckets(buckets, type),
    ...readProperties(reader),
  };
  return { kind: 'group-mod', command: command === COMMAND.add ? 'add' : 'modify', group };
}

export function writeGroups(w: Writer, groups: readonly Group[]): void {
  for (const group of groups) {
    const start = w.position;
    w.u16(0).u8(TYPES.indexOf(group.type)).u8(0).u32(group.id).u16(0).zeros(6);
    writeBuckets(w, group);
    w.patch16(start + 8, w.position - start - 16);
    writeSelection(w, group.selection);
    w.patch16(start, w.position - start);
  }
}

export function readGroups(reader: Reader): Group[] {
  const groups: Group[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const length = reader.lengthFrom(start, 16, 'group');
    const entry = reader.sub(length - 2);
    const type = entry.u8();
    const id = entry.skip(1).u32();
    const bucketsLength = entry.u16();
    groups.push(readGroup(id, groupType(entry, type), entry.skip(6).sub(bucketsLength), entry));
  }
  return groups;
}

function readGroup(id: number, type: Group['type'], buckets: Reader, properties: Reader): Group {
  try {
    return { id, type, buckets: readBuckets(buckets, TYPES.indexOf(type)), ...readProperties(properties) };
  } catch (fault) {
    if (fault instanceof DecodeFault && fault.foreign) return { id, type, buckets: [], opaque: fault.reason };
    throw fault;
  }
}

/** The selection method, as a property of the group: fields by their headers, each with its mask as the value. */
function writeSelection(w: Writer, selection: GroupSelection | undefined): void {
  if (selection === undefined) return;
  const start = w.position;
  w.u16(EXPERIMENTER).u16(0).u32(NTR).u32(SELECTION_METHOD).u32(0);
  const name = new TextEncoder().encode(selection.method);
  w.raw(name)
    .zeros(METHOD_BYTES - name.length)
    .u64(selection.param ?? 0n);
  const fields = selection.fields.map(wireField).sort((a, b) => a.rank - b.rank);
  for (const field of fields) w.u32(field.header).uint(field.full, field.bytes);
  w.patch16(start + 2, w.position - start).align8(start);
}

function readProperties(reader: Reader): Pick<Group, 'selection'> {
  let found: Pick<Group, 'selection'> = {};
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16();
    const length = reader.lengthFrom(start, 4, 'property');
    const value = reader.sub(length - 4);
    reader.pad8(length);
    if (type !== EXPERIMENTER || value.u32() !== NTR || value.u32() !== SELECTION_METHOD)
      value.foreign(`group property ${type} is not in the model`);
    found = { selection: readSelection(value.skip(4)) };
  }
  return found;
}

function readSelection(value: Reader): GroupSelection {
  const name = new TextDecoder().decode(value.raw(METHOD_BYTES)).replace(/\0.*$/s, '');
  if (name !== 'hash') value.foreign(`selection method ${name}`);
  const param = value.u64();
  const fields: WireField[] = [];
  while (value.left > 0) {
    const field = fieldOfHeader(value, value.u32());
    const mask = value.uint(field.bytes) & field.full;
    if (mask !== field.full) value.foreign(`hash of a part of ${field.name}`);
    fields.push(field);
  }
  // The switch tells them in an order of its own.
  const names = fields.sort((a, b) => a.rank - b.rank).map(({ name: field }) => field);
  return { method: 'hash', fields: names, ...(param === 0n ? {} : { param }) };
}

function groupType(reader: Reader, type: number): Group['type'] {
  return TYPES[type] ?? reader.fail(`group type ${type} does not exist`);
}

/** The switch gives the buckets of a select group the weight 1, and no others one. */
const defaultWeight = (type: Group['type']): number => (type === 'select' ? 1 : 0);

function writeBuckets(w: Writer, group: Group): void {
  for (const [index, bucket] of group.buckets.entries()) {
    const start = w.position;
    w.u16(0).u16(0).u32(index);
    writeActions(w, bucket.actions);
    w.patch16(start + 2, w.position - start - 8);
    const weight = bucket.weight ?? defaultWeight(group.type);
    if (weight !== 0) w.u16(PROPERTY.weight).u16(8).u16(weight).u16(0);
    if (bucket.watchPort !== undefined) w.u16(PROPERTY.watchPort).u16(8).u32(bucket.watchPort);
    w.patch16(start, w.position - start);
  }
}

function readBuckets(reader: Reader, type: number): Bucket[] {
  const buckets: Bucket[] = [];
  const usual = defaultWeight(groupType(reader, type));
  while (reader.left > 0) {
    const start = reader.position;
    const length = reader.lengthFrom(start, 8, 'bucket');
    const entry = reader.sub(length - 2);
    const actionsLength = entry.u16();
    const actions = readActions(entry.skip(4).sub(actionsLength));
    let [weight, watchPort]: [number, number] = [usual, PORT.any];
    while (entry.left > 0) {
      const at = entry.position;
      const property = entry.u16();
      const value = entry.sub(entry.lengthFrom(at, 4, 'property') - 4);
      if (property === PROPERTY.weight) weight = value.u16();
      else if (property === PROPERTY.watchPort) watchPort = value.u32();
      else value.foreign(`bucket property ${property} is not in the model`);
    }
    buckets.push({
      actions,
      ...(watchPort === PORT.any ? {} : { watchPort }),
      ...(weight === usual ? {} : { weight }),
    });
  }
  return buckets;
}
