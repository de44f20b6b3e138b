import { StringDecoder } from 'node:string_decoder';

type Fields = Readonly<Record<string, unknown>>;

/** One line of a monitor, understood. `garbled`: it is no word of the protocol, and why. */
export type QmpLine =
  | { readonly kind: 'greeting'; readonly version: string }
  | { readonly kind: 'return'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number | null; readonly class: string; readonly desc: string }
  | { readonly kind: 'event'; readonly name: string; readonly data: Fields }
  | { readonly kind: 'garbled'; readonly reason: string };

/** The largest answer that is asked for has some kilobytes. */
const LONGEST = 1 << 20;
const SHOWN = 80;

/** Cuts what a monitor's socket brings into lines and reads them. Whatever comes, it throws nothing and stays bounded. */
export class QmpLines {
  readonly #text = new StringDecoder('utf8');
  #rest = '';
  /** Within a line that is too long: dropped until it ends. */
  #skips = false;

  push(chunk: Uint8Array): readonly QmpLine[] {
    const found: QmpLine[] = [];
    const parts = this.#text.write(Buffer.from(chunk)).split('\n');
    for (const [i, part] of parts.entries()) {
      const ends = i < parts.length - 1;
      if (!this.#skips) this.#rest += part;
      if (this.#rest.length > LONGEST) {
        found.push({ kind: 'garbled', reason: `a line is longer than ${LONGEST} characters` });
        this.#rest = '';
        this.#skips = true;
      }
      if (!ends) break;
      const line = this.#rest.trim();
      this.#rest = '';
      if (!this.#skips && line !== '') found.push(readLine(line));
      this.#skips = false;
    }
    return found;
  }
}

export function readLine(line: string): QmpLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'garbled', reason: `not JSON: ${shown(line)}` };
  }
  if (!isFields(value)) return { kind: 'garbled', reason: `not an object: ${shown(line)}` };
  return (
    greeting(value) ??
    event(value) ??
    answer(value) ?? { kind: 'garbled', reason: `neither greeting, answer nor event: ${shown(line)}` }
  );
}

function greeting({ QMP }: Fields): QmpLine | null {
  if (!isFields(QMP) || !isFields(QMP['version'])) return null;
  const { qemu } = QMP['version'];
  const parts = isFields(qemu) ? [qemu['major'], qemu['minor'], qemu['micro']] : [];
  return { kind: 'greeting', version: parts.map((n) => (typeof n === 'number' ? n : '?')).join('.') };
}

function event({ event: name, data }: Fields): QmpLine | null {
  if (typeof name !== 'string') return null;
  return { kind: 'event', name, data: isFields(data) ? data : {} };
}

function answer({ id, return: value, error }: Fields): QmpLine | null {
  const number = typeof id === 'number' && Number.isSafeInteger(id) ? id : null;
  if (isFields(error)) {
    const { class: of, desc } = error;
    // Without an id: the monitor could not even read what it was sent.
    return { kind: 'error', id: number, class: text(of), desc: text(desc) };
  }
  if (value === undefined || number === null) return null;
  return { kind: 'return', id: number, value };
}

export const isFields = (v: unknown): v is Fields => typeof v === 'object' && v !== null && !Array.isArray(v);
const text = (v: unknown): string => (typeof v === 'string' ? v : 'not told');
const shown = (line: string): string => JSON.stringify(line.slice(0, SHOWN));
