import {
  canonicalJson,
  err,
  invalid,
  isRecord,
  ok,
  parsePortId,
  type Epoch,
  type Lineage,
  type PortId,
  type Result,
  type Revision,
} from '#kernel';
import { PORT_DATA } from '#openflow';

/** Of the form; what another one means is nobody's to guess. */
const VERSION = 1;
/** Characters that are looked at; what an agent writes has at most 142. */
const LONGEST = 256;
const FIELDS = 'epoch,lineage,port,portolan,revision';
const LINEAGE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a guest takes along: which revision of its port's policy was carried out where it comes from. */
export interface PortData {
  readonly port: PortId;
  /** Of the binding that waits for the guest: what an earlier move left behind names another. */
  readonly epoch: Epoch;
  readonly lineage: Lineage;
  readonly revision: Revision;
}

/** As it stands in the row: canonical JSON, so that what is the same is the same text. */
export const portDataText = ({ port, epoch, lineage, revision }: PortData): string =>
  canonicalJson({ portolan: VERSION, port, epoch, lineage, revision });

/** Whether an agent of any version wrote this: else it is another program's, and left alone. */
export function isOurs(text: string): boolean {
  const data = parsedJson(text);
  return isRecord(data) && Object.hasOwn(data, 'portolan');
}

/**
 * Takes what stands in a row apart. The row is written by whoever may write the host's database, and the text comes
 * from another host: just what an agent writes is taken, to the letter.
 */
export function parsePortData(text: string): Result<PortData> {
  const bad = (value: unknown, reason: string, expected?: string, field = ''): Result<PortData> =>
    err(invalid(`external_ids:${PORT_DATA}${field}`, value, reason, expected));
  if (text.length > LONGEST) return bad(text, 'is too long', `at most ${LONGEST} characters`);
  const data = parsedJson(text);
  if (!isRecord(data) || !Object.hasOwn(data, 'portolan')) return bad(text, 'is not what an agent writes');
  const { portolan, epoch, lineage, revision } = data;
  if (portolan !== VERSION) return bad(portolan, 'is not a known version', String(VERSION), '.portolan');
  const names = Object.keys(data).sort().join();
  if (names !== FIELDS) return bad(names, 'are not the fields of this version', FIELDS);
  const port = parsePortId(data['port'], `external_ids:${PORT_DATA}.port`);
  if (!port.ok) return port;
  if (typeof lineage !== 'string' || !LINEAGE.test(lineage))
    return bad(lineage, 'is not a lineage', 'a uuid in lower case', '.lineage');
  if (!isNumber(epoch)) return bad(epoch, 'is not an epoch', 'a whole number from 1 on', '.epoch');
  if (!isNumber(revision)) return bad(revision, 'is not a revision', 'a whole number from 1 on', '.revision');
  const found = {
    port: port.value,
    epoch: epoch as Epoch,
    lineage: lineage as Lineage,
    revision: revision as Revision,
  };
  return portDataText(found) === text
    ? ok(found)
    : bad(text, 'is not in canonical form', portDataText(found));
}

/** What a guest that came to this binding brought along: the revision, or why it says nothing of that. */
export function broughtBy(text: string, here: Omit<PortData, 'revision'>): Result<Revision> {
  const found = parsePortData(text);
  if (!found.ok) return found;
  for (const name of ['port', 'lineage', 'epoch'] as const)
    if (found.value[name] !== here[name]) {
      const field = `external_ids:${PORT_DATA}.${name}`;
      return err(
        invalid(field, found.value[name], 'is another one than that of the arrival', `${here[name]}`),
      );
    }
  return ok(found.value.revision);
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

/** Undefined: it is none. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
