import { type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { start } from '../../lab/exec.js';

/** Runs each line that it is given, and says how it ended. */
const LOOP = 'while IFS= read -r line; do eval "$line" >/dev/null; echo "ended $?"; done';

/**
 * A shell that starts programs one after the other, as an operator's does: a start by this process itself, which is
 * large, would take longer than some programs run.
 */
export class Shell {
  readonly child: ChildProcess;
  #ended: (code: string) => void = () => undefined;
  #gone: Error | null = null;

  constructor(env: Readonly<Record<string, string>>) {
    this.child = start(['sh', '-c', LOOP], { stdio: 'pipe', env });
    this.child.once('exit', () => {
      this.#gone = new Error('the shell has ended');
      this.#ended('');
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#ended(line));
  }

  /** Resolves when the program has ended well; one at a time. What it says of its faults goes to standard error. */
  async run(words: readonly string[]): Promise<void> {
    const ended = new Promise<string>((resolve) => (this.#ended = resolve));
    this.child.stdin!.write(`${words.map(quoted).join(' ')}\n`);
    const said = await ended;
    if (this.#gone !== null) throw this.#gone;
    if (said !== 'ended 0') throw new Error(`${words.slice(0, 6).join(' ')}: ${said}`);
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
