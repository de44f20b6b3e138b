import { canonicalJson, detail, problem, ProblemError, type Revision } from '#kernel';
import { type Repudiations, type StoredMessage } from '#event-store';

export const MAX_REPLAY_BYTES = 256 * 1024 * 1024;

/** Lines as bytes, without empty ones. */
export async function readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes = MAX_REPLAY_BYTES,
): Promise<Buffer[]> {
  const lines: Buffer[] = [];
  let rest: Buffer[] = [];
  let total = 0;
  const add = (parts: readonly Buffer[]): void => {
    const line = Buffer.concat(parts);
    if (line.toString('latin1').trim() !== '') lines.push(line);
  };
  for await (const chunk of body) {
    total += chunk.length;
    if (total > maxBytes) {
      const d = detail('', `over ${maxBytes} bytes`, 'is too large', `up to ${maxBytes} bytes`);
      throw new ProblemError(problem('invalid', 'the log is too large to be replayed here', [d]));
    }
    let from = 0;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      add([...rest, bytes.subarray(from, at)]);
      rest = [];
      from = at + 1;
    }
    if (from < bytes.length) rest.push(Buffer.from(bytes.subarray(from)));
  }
  add(rest);
  return lines;
}

/** Laid out anew by another program, a line is brought back to what was hashed; a line that is no JSON stays. */
function canonical(line: Buffer): Uint8Array {
  try {
    return Buffer.from(canonicalJson(JSON.parse(line.toString('utf8'))));
  } catch {
    // The reader names what is wrong with it.
    return line;
  }
}

/** Readers know what was repudiated before they begin. */
export function repudiations(lines: readonly Buffer[]): Repudiations {
  const found = new Map<string, Revision>();
  for (const line of lines) {
    if (!line.includes('"Repudiated"')) continue;
    try {
      const envelope = JSON.parse(line.toString('utf8')) as {
        data?: { events?: { type?: unknown; data?: unknown }[] };
      };
      for (const e of envelope.data?.events ?? []) {
        const data = e.data as { hash?: unknown; revision?: unknown } | undefined;
        if (e.type !== 'Repudiated' || typeof data?.hash !== 'string') continue;
        found.set(data.hash, Number(data.revision) as Revision);
      }
    } catch {
      // Not JSON, or not of that form: folding names the line.
      continue;
    }
  }
  return found;
}

export const messageOf = (lines: readonly Buffer[], i: number): StoredMessage => ({
  seq: i + 1,
  topic: 'commit',
  bytes: canonical(lines[i]!),
});

export function unreadable(line: number, reason: string): ProblemError {
  const expected = 'the log from its first commit on, one envelope a line, as GET /v1/log/export gives it';
  const d = detail(`line ${line}`, undefined, reason, expected);
  return new ProblemError(problem('invalid', `line ${line}: ${reason}`, [d]));
}
