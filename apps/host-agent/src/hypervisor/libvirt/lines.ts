import { StringDecoder } from 'node:string_decoder';

const LONGEST = 1 << 16;

/** Cuts what a program prints into lines. What is longer than any it has reason to print is cut off, never kept. */
export class Lines {
  readonly #text = new StringDecoder('utf8');
  #rest = '';

  push(chunk: Uint8Array): readonly string[] {
    const parts = (this.#rest + this.#text.write(Buffer.from(chunk))).split('\n');
    this.#rest = (parts.pop() ?? '').slice(0, LONGEST);
    return parts;
  }
}
