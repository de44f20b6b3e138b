/** What collectors are told, as far as tests ask for it. Throws on what is not well-formed. */

/** A record of IPFIX (RFC 7011): values by the number of their information element. */
export interface IpfixRecord {
  readonly domain: number;
  readonly values: ReadonlyMap<number, Buffer>;
}

/** Information elements. */
export const IE = { packets: 2, source: 56, direction: 61, point: 138 } as const;

const VARIABLE = 0xffff;

/** Records of all datagrams, of which earlier ones say the form of later ones. */
export function ipfixRecords(datagrams: readonly Buffer[]): IpfixRecord[] {
  const templates: Templates = new Map();
  // What an exporter says of itself is in sets of a form of their own.
  const aside = new Set<string>();
  return datagrams.flatMap((datagram) => {
    if (datagram.readUInt16BE(0) !== 10 || datagram.readUInt16BE(2) !== datagram.length)
      throw new Error('not a message of IPFIX');
    const domain = datagram.readUInt32BE(12);
    const records: IpfixRecord[] = [];
    for (let at = 16; at < datagram.length;) {
      const [id, length] = [datagram.readUInt16BE(at), datagram.readUInt16BE(at + 2)];
      const body = datagram.subarray(at + 4, at + length);
      if (id === 2) readTemplates(body, domain, templates);
      else if (id === 3) aside.add(`${domain} ${body.readUInt16BE(0)}`);
      else if (id >= 256 && !aside.has(`${domain} ${id}`)) {
        const fields = templates.get(`${domain} ${id}`);
        if (fields === undefined) throw new Error(`template ${id} was not told`);
        records.push(...readRecords(body, fields).map((values) => ({ domain, values })));
      }
      at += length;
    }
    return records;
  });
}

type Templates = Map<string, { id: number; length: number }[]>;

function readTemplates(body: Buffer, domain: number, templates: Templates): void {
  for (let at = 0; at + 4 <= body.length;) {
    const [id, count] = [body.readUInt16BE(at), body.readUInt16BE(at + 2)];
    at += 4;
    const fields = Array.from({ length: count }, () => {
      const [field, length] = [body.readUInt16BE(at), body.readUInt16BE(at + 2)];
      const isPrivate = (field & 0x8000) !== 0;
      at += isPrivate ? 8 : 4;
      return { id: isPrivate ? -1 : field, length };
    });
    templates.set(`${domain} ${id}`, fields);
  }
}

function readRecords(body: Buffer, fields: readonly { id: number; length: number }[]): Map<number, Buffer>[] {
  const records: Map<number, Buffer>[] = [];
  const least = fields.reduce((sum, { length }) => sum + (length === VARIABLE ? 1 : length), 0);
  for (let at = 0; at + least <= body.length;) {
    const values = new Map<number, Buffer>();
    for (const { id, length } of fields) {
      let size = length;
      if (length === VARIABLE) {
        size = body.readUInt8(at);
        at += 1;
      }
      values.set(id, body.subarray(at, at + size));
      at += size;
    }
    records.push(values);
  }
  return records;
}

/** Heads of sampled frames, and rates of sampling, of sFlow (version 5) over IPv4. */
export function sflowSamples(
  datagrams: readonly Buffer[],
): { readonly rate: number; readonly head: Buffer }[] {
  return datagrams.flatMap((datagram) => {
    if (datagram.readUInt32BE(0) !== 5 || datagram.readUInt32BE(4) !== 1) throw new Error('not sFlow 5');
    const samples: { rate: number; head: Buffer }[] = [];
    let at = 28;
    for (let n = datagram.readUInt32BE(24); n > 0; n -= 1) {
      const [kind, length] = [datagram.readUInt32BE(at), datagram.readUInt32BE(at + 4)];
      const body = datagram.subarray(at + 8, at + 8 + length);
      at += 8 + length;
      // 1: a frame; others are counters.
      if (kind === 1) samples.push(...headsOf(body));
    }
    return samples;
  });
}

function headsOf(sample: Buffer): { rate: number; head: Buffer }[] {
  const heads: { rate: number; head: Buffer }[] = [];
  let at = 32;
  for (let n = sample.readUInt32BE(28); n > 0; n -= 1) {
    const [kind, length] = [sample.readUInt32BE(at), sample.readUInt32BE(at + 4)];
    const body = sample.subarray(at + 8, at + 8 + length);
    at += 8 + length;
    if (kind === 1)
      heads.push({ rate: sample.readUInt32BE(8), head: body.subarray(16, 16 + body.readUInt32BE(12)) });
  }
  return heads;
}
