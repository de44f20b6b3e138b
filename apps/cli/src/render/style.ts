/** Colours only where a person looks; words carry the meaning, colours repeat it. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

const wrap = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;
const plain = (text: string): string => text;

export const PLAIN: Style = { bold: plain, dim: plain, good: plain, warn: plain, bad: plain };
export const COLOUR: Style = {
  bold: wrap(1, 22),
  dim: wrap(2, 22),
  good: wrap(32, 39),
  warn: wrap(33, 39),
  bad: wrap(31, 39),
};

const GOOD = new Set(['moved', 'up', 'bound', 'completed', 'open', 'realised', 'running']);
const WARN = new Set([
  'late',
  'closing',
  'migrating',
  'connected',
  'aborting',
  'aborted',
  'unknown',
  'incoming',
  'incomplete',
  'stays',
]);
const BAD = new Set(['silent', 'dead', 'failed', 'down', 'refused']);

/** Colours a word by what it means. */
export function state(style: Style, word: string): string {
  if (GOOD.has(word)) return style.good(word);
  if (WARN.has(word)) return style.warn(word);
  return BAD.has(word) ? style.bad(word) : word;
}

/** What came from outside can't steer the terminal: control characters are shown as a replacement mark. */
export function safe(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
