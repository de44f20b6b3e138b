import {
  NAME_RULE,
  type Epoch,
  type GroupName,
  type HostName,
  type IfaceId,
  type Lineage,
  type Mac,
  type EvacuationId,
  type MigrationId,
  type PortId,
  type Revision,
  type SetName,
  type SwitchName,
  type VlanId,
} from '#kernel';
import { text, whole, type Schema } from './schema.js';

/** Each scalar says in `description` what would be right: it becomes `expected` in a problem. */
const token = <T extends string>(pattern: string, maxLength: number, description: string): Schema<T> =>
  text({ pattern, maxLength, description }) as Schema<T>;

export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

export const AHostName = token<HostName>(NAME_PATTERN, 63, NAME_RULE);
export const ASwitchName = token<SwitchName>(NAME_PATTERN, 63, NAME_RULE);
export const AGroupName = token<GroupName>(NAME_PATTERN, 63, NAME_RULE);
export const ASetName = token<SetName>(NAME_PATTERN, 63, NAME_RULE);
export const APortId = token<PortId>('^p[1-9][0-9]{0,14}$', 16, 'p and a number, as in p17');
export const AMigrationId = token<MigrationId>('^m[1-9][0-9]{0,14}$', 16, 'm and a number, as in m3');
export const AnEvacuationId = token<EvacuationId>('^e[1-9][0-9]{0,14}$', 16, 'e and a number, as in e3');
export const AnIfaceId = token<IfaceId>(
  '^[A-Za-z0-9_.:-]{1,128}$',
  128,
  '1 to 128 letters, digits and _ . : -',
);
export const AMac = token<Mac>('^([0-9a-f]{2}:){5}[0-9a-f]{2}$', 17, 'six octets in lower case with colons');
export const ALineage = token<Lineage>(UUID, 36, 'a uuid in lower case');
export const ARevision = whole<Revision>(0, 'a revision: 0 or greater');
export const AnEpoch = whole<Epoch>(0, 'a binding epoch: 0 or greater');
export const AVlanId = whole<VlanId>(1, 'an integer from 1 to 4094', 4094);
export const Count = whole(0, 'an integer, 0 or greater');
export const Millis = whole(0, 'ms since the epoch');
export const AnIndex = (maximum: number) => whole(0, `an integer from 0 to ${maximum}`, maximum);
/** An id that somebody chose: a uuid or any short printable token. */
export const AToken = token<string>('^[!-~]{1,128}$', 128, '1 to 128 printable characters without blanks');
/** Words for people or names from outside: any characters, bounded. */
export const AText = text({ maxLength: 1024, description: 'up to 1024 characters' });
export const ADeviceName = text({
  minLength: 1,
  maxLength: 64,
  description: '1 to 64 characters',
});
