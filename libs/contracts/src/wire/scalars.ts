import {
  NAME_RULE,
  type Epoch,
  type GroupName,
  type HostName,
  type IfaceId,
  type Lineage,
  type Mac,
  type MigrationId,
  type PortId,
  type Revision,
  type SwitchName,
  type VlanId,
} from '#kernel';
import Type, { type Static, type TSchema } from 'typebox';

/** Each scalar says in `description` what would be right: it becomes `expected` in a problem. */
const text = <T>(pattern: string, maxLength: number, description: string) =>
  Type.Unsafe<T>({ type: 'string', pattern, maxLength, description });
const whole = <T = number>(minimum: number, description: string, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Unsafe<T>({ type: 'integer', minimum, maximum, description });

export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

export const AHostName = text<HostName>(NAME_PATTERN, 63, NAME_RULE);
export const ASwitchName = text<SwitchName>(NAME_PATTERN, 63, NAME_RULE);
export const AGroupName = text<GroupName>(NAME_PATTERN, 63, NAME_RULE);
export const APortId = text<PortId>('^p[1-9][0-9]{0,14}$', 16, 'p and a number, as in p17');
export const AMigrationId = text<MigrationId>('^m[1-9][0-9]{0,14}$', 16, 'm and a number, as in m3');
export const AnIfaceId = text<IfaceId>(
  '^[A-Za-z0-9_.:-]{1,128}$',
  128,
  '1 to 128 letters, digits and _ . : -',
);
export const AMac = text<Mac>('^([0-9a-f]{2}:){5}[0-9a-f]{2}$', 17, 'six octets in lower case with colons');
export const ALineage = text<Lineage>(UUID, 36, 'a uuid in lower case');
export const ARevision = whole<Revision>(0, 'a revision: 0 or greater');
export const AnEpoch = whole<Epoch>(0, 'a binding epoch: 0 or greater');
export const AVlanId = whole<VlanId>(1, 'an integer from 1 to 4094', 4094);
export const Count = whole(0, 'an integer, 0 or greater');
export const Millis = whole(0, 'ms since the epoch');
export const AnIndex = (maximum: number) => whole(0, `an integer from 0 to ${maximum}`, maximum);
/** An id that somebody chose: a uuid or any short printable token. */
export const AToken = text<string>('^[!-~]{1,128}$', 128, '1 to 128 printable characters without blanks');
/** Words for people or names from outside: any characters, bounded. */
export const AText = Type.String({ maxLength: 1024, description: 'up to 1024 characters' });
export const ADeviceName = Type.String({
  minLength: 1,
  maxLength: 64,
  description: '1 to 64 characters',
});

export const shape = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
export const list = <S extends TSchema>(item: S, maxItems: number) => Type.Array(item, { maxItems });
export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/** A map with checked keys. Its type can be narrower than string keys where the keys have a brand. */
export const mapOf = <S extends TSchema, T = Record<string, Static<S>>>(
  keyPattern: string,
  value: S,
  description: string,
) =>
  Type.Unsafe<T>({
    type: 'object',
    patternProperties: { [keyPattern]: value },
    additionalProperties: false,
    maxProperties: 10_000,
    description,
  });
