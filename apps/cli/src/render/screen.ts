import { CliError, EXIT } from '../exit.js';
import { type Session } from '../session.js';

const ENTER = '\u001b[?1049h\u001b[?25l';
/** Takes away what the last line says. */
export const CLEAR_LINE = '\r\u001b[K';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/**
 * Shows a text anew every `intervalMs` until Ctrl-C: in place on a terminal, one after the other elsewhere. A server
 * that is away for a while is shown as such; the terminal is always left as it was.
 */
export async function redraw(s: Session, intervalMs: number, look: () => Promise<string>): Promise<void> {
  const screen = s.io.tty && s.format === 'table';
  if (screen) s.io.out(ENTER);
  try {
    while (!s.io.signal.aborted) {
      const text = await attempt(s, look);
      if (text !== undefined)
        s.io.out(screen ? `\u001b[H\u001b[2J${text}` : `${text}${s.format === 'table' ? '\n' : ''}`);
      await s.io.sleep(intervalMs);
    }
  } finally {
    if (screen) s.io.out(LEAVE);
  }
}

async function attempt(s: Session, look: () => Promise<string>): Promise<string | undefined> {
  try {
    return await look();
  } catch (cause) {
    if (s.io.signal.aborted) return undefined;
    if (cause instanceof CliError && cause.exit === EXIT.unavailable) return `${cause.message}\n`;
    throw cause;
  }
}
