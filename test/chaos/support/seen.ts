import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type World } from '../../process/cluster.fixture.js';

/** Where `npm run chaos -- --seen DIR` puts what an operator saw, a file a scenario; undefined: nobody asked for it. */
const DIR = process.env['PORTOLAN_CHAOS_SEEN'];

/** What the command says in the middle of it, and services in their logs: what docs/faults.md shows is taken from there. */
export class Seen {
  readonly #from = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly scenario: string,
  ) {}

  /** Each command is given as one would type it behind `portolan`. */
  async at(moment: string, ...commands: readonly string[]): Promise<void> {
    if (DIR === undefined) return;
    let text = `\n=== ${moment}\n`;
    for (const command of commands) {
      const ran = await this.world.cli(...command.split(' '));
      text += `$ portolan ${command}\n${ran.out}${ran.err}${ran.code === 0 ? '' : `(exit code ${ran.code})\n`}`;
    }
    await this.#write(text);
  }

  /** What a service wrote into its log since it was last looked at, at most the first lines of it. */
  async log(service: string, most = 30): Promise<void> {
    if (DIR === undefined) return;
    const all = await this.world.logOf(service);
    const lines = all.slice(this.#from.get(service) ?? 0).split('\n');
    this.#from.set(service, all.length);
    const shown = lines.filter((line) => line !== '').slice(0, most);
    await this.#write(`--- ${service}: ${lines.length - 1} lines\n${shown.join('\n')}\n`);
  }

  /** What it says from here on. */
  async from(...services: readonly string[]): Promise<void> {
    if (DIR === undefined) return;
    for (const service of services) this.#from.set(service, (await this.world.logOf(service)).length);
  }

  async #write(text: string): Promise<void> {
    if (DIR === undefined) return;
    await mkdir(DIR, { recursive: true });
    await appendFile(join(DIR, `${this.scenario}.txt`), text);
  }
}
