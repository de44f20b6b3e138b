import { type CliError } from '../exit.js';
import { safe, type Style } from './style.js';

/** An error as a person reads it: the sentence, each wrong field, and how to find it again in the logs. */
export function errorText(error: CliError, style: Style): string {
  const p = error.problem;
  const head = `${style.bad('error:')} ${safe(error.message)}\n`;
  if (p === undefined) return head;
  // One detail is usually the sentence itself; then it is not said twice.
  const details = p.errors.filter((e) => !(p.errors.length === 1 && error.message.includes(e.reason)));
  const lines = details.map((e) => {
    const value = e.value === undefined ? '' : ` ${e.value}`;
    const expected = e.expected === undefined ? '' : `; expected ${e.expected}`;
    return `  ${style.bold(safe(e.field || 'input'))}${safe(`${value}: ${e.reason}${expected}`)}\n`;
  });
  const again = p.retry ? '  The same command can succeed later.\n' : '';
  const trace = p.correlationId === undefined ? '' : style.dim(`  correlation ${safe(p.correlationId)}\n`);
  return `${head}${lines.join('')}${again}${p.status >= 500 ? trace : ''}`;
}
