import { readFileSync } from 'node:fs';

export const PAGE = new URL('../../../../docs/frame-walk.md', import.meta.url);
export const page = (): string => readFileSync(PAGE, 'utf8');

/** `<!-- flows NAME -->` and `<!-- walk NAME -->`, each with a block behind it that a real switch filled. */
const BLOCK = /<!-- (flows|walk) ([A-Za-z_0-9]+) -->\n\n```text\n([^`]*)```/g;

export interface Block {
  readonly kind: string;
  readonly name: string;
  readonly lines: readonly string[];
}

export const blocksOf = (text: string): Block[] =>
  [...text.matchAll(BLOCK)].map(([, kind = '', name = '', body = '']) => ({
    kind,
    name,
    lines: body.split('\n').filter((line) => line !== ''),
  }));

/** The page with what a switch says now. */
export const filled = (text: string, say: (kind: string, name: string) => readonly string[]): string =>
  text.replace(
    BLOCK,
    (_all, kind: string, name: string) =>
      `<!-- ${kind} ${name} -->\n\n\`\`\`text\n${say(kind, name).join('\n')}\n\`\`\``,
  );

/** Tables in the order in which a frame meets them. */
export const walkOf = ({ lines }: Block): string[] => lines.join(' ').split(' → ');
