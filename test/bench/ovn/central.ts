import { type ChildProcess } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemClock } from '#kernel';
import { Unixctl } from '#ovs';
import { end, run, start, until } from '../../lab/exec.js';
import { daemonOptions } from '../../lab/host.js';
import { Shell } from './shell.js';

const SCHEMAS = '/usr/share/ovn';
/** Longer than the slowest change of the largest size. */
const SLOWEST_MS = 120_000;

/**
 * OVN's centre in a directory of its own: both databases, ovn-northd, and `ovn-nbctl` as a standing process that has
 * read the northbound database. So a change costs OVN no start of a process and no reading, as ours costs none.
 */
export class OvnCentral {
  readonly #children: ChildProcess[] = [];
  #nbctl!: Unixctl;
  #shell!: Shell;

  private constructor(private readonly dir: string) {}

  static async start(dir: string): Promise<OvnCentral> {
    const central = new OvnCentral(dir);
    try {
      await central.#start();
      return central;
    } catch (cause) {
      await central.stop();
      throw cause;
    }
  }

  /** Where the hosts' controllers connect to. */
  get southbound(): string {
    return this.#socket('sb');
  }

  /** `ovn-nbctl` with these words; resolves with what it printed. */
  async nbctl(...words: readonly string[]): Promise<string> {
    try {
      return await this.#nbctl.call('run', words, SLOWEST_MS);
    } catch (cause) {
      const why = messageOf(cause);
      throw new Error(`ovn-nbctl ${words.slice(0, 4).join(' ')}: ${why}`, { cause });
    }
  }

  /** Several commands as one transaction. */
  async all(commands: readonly (readonly string[])[], ...options: readonly string[]): Promise<void> {
    await this.nbctl(...options, ...(options.length > 0 ? ['--'] : []), ...joined(commands));
  }

  /** As `all`, to when every controller has carried it out; one that does not is named. */
  async confirmed(commands: readonly (readonly string[])[]): Promise<void> {
    try {
      await this.all(commands, '--wait=hv');
    } catch (cause) {
      const why = messageOf(cause);
      throw new Error(`${why}; ${await this.#behind()}`, { cause });
    }
  }

  /** The same by the command that operators and scripts give: `ovn-nbctl` is started for it, and reads the database. */
  async commanded(commands: readonly (readonly string[])[]): Promise<void> {
    const options = ['--wait=hv', `--timeout=${SLOWEST_MS / 1000}`, `--db=${this.#socket('nb')}`];
    await this.#shell.run(['ovn-nbctl', ...options, '--', ...joined(commands)]);
  }

  /** Which controllers have not confirmed the last change: `--wait=hv` names none, and never ends. */
  async #behind(): Promise<string> {
    const list = async (database: 'nb' | 'sb', ...words: readonly string[]) => {
      const tool = `ovn-${database}ctl`;
      return run(tool, [
        `--db=${this.#socket(database)}`,
        '--timeout=10',
        '--no-leader-only',
        '--bare',
        ...words,
      ]);
    };
    try {
      const asked = Number(await list('nb', '--columns=nb_cfg', 'list', 'NB_Global'));
      const known = Number(await list('sb', '--columns=nb_cfg', 'list', 'SB_Global'));
      if (known < asked) return `ovn-northd has come to ${known} of ${asked}`;
      const rows = (await list('sb', '--columns=name,nb_cfg', 'list', 'Chassis_Private'))
        .trim()
        .split('\n\n');
      const behind = rows.map((row) => row.split('\n')).filter(([, done]) => Number(done) < asked);
      const names = behind.map(([name, done]) => `${name} at ${done}`).join(', ');
      return `of ${rows.length} hosts not at ${asked}: ${names === '' ? 'none' : names}`;
    } catch (cause) {
      return `who is behind is not known: ${String(cause)}`;
    }
  }

  /** Process ids by what they are. */
  get pids(): Readonly<Record<string, number | undefined>> {
    const [nb, sb, northd] = this.#children;
    return { 'nb-ovsdb': nb?.pid, 'sb-ovsdb': sb?.pid, 'ovn-northd': northd?.pid };
  }

  async stop(): Promise<void> {
    (this.#nbctl as Unixctl | undefined)?.close();
    await Promise.all(this.#children.splice(0).map((child) => end(child, 'SIGKILL')));
  }

  async #start(): Promise<void> {
    await mkdir(this.dir, { recursive: true });
    await this.#database('nb');
    await this.#database('sb');
    const databases = [`--ovnnb-db=${this.#socket('nb')}`, `--ovnsb-db=${this.#socket('sb')}`];
    this.#run('ovn-northd', databases);
    await this.#startNbctl();
    this.#shell = new Shell(this.#env);
    this.#children.push(this.#shell.child);
    await this.nbctl('init');
    // A process that is busy for long is slow, and not gone.
    await this.nbctl('set', 'NB_Global', '.', 'options:northd_probe_interval=0');
  }

  async #database(name: 'nb' | 'sb'): Promise<void> {
    const file = join(this.dir, `${name}.db`);
    await run('ovsdb-tool', ['create', file, join(SCHEMAS, `ovn-${name}.ovsschema`)]);
    this.#run('ovsdb-server', [file, `--remote=p${this.#socket(name)}`], name);
    await until(`the ${name} database`, () => run('ovsdb-client', ['list-dbs', this.#socket(name)]));
  }

  #run(program: string, args: readonly string[], name = program): void {
    const control = `--unixctl=${join(this.dir, `${name}.ctl`)}`;
    const options = daemonOptions(name, this.dir);
    // A session of its own, as our services have: the kernel shares the processor out by session.
    this.#children.push(start(['setsid', program, ...args, control, ...options], { env: this.#env }));
  }

  /** It serves only as a daemon, which leaves its parent: a process namespace keeps it within reach. */
  async #startNbctl(): Promise<void> {
    const [log, ready] = [join(this.dir, 'ovn-nbctl.log'), join(this.dir, 'ovn-nbctl.socket')];
    const options = `--db=${this.#socket('nb')} --log-file=${log} -vconsole:off -vfile:warn --detach --no-chdir`;
    const script = `ovn-nbctl ${options} > ${ready}.new && mv ${ready}.new ${ready} && exec sleep infinity`;
    const namespace = ['unshare', '--pid', '--fork', '--kill-child=KILL'];
    this.#children.push(start(['setsid', ...namespace, 'sh', '-c', script], { env: this.#env }));
    const path = await until('ovn-nbctl', async () => (await readFile(ready, 'utf8')).trim());
    this.#nbctl = new Unixctl(() => ({ kind: 'unix', path }), systemClock);
  }

  get #env(): Readonly<Record<string, string>> {
    return { OVN_RUNDIR: this.dir, OVN_LOGDIR: this.dir, OVN_DBDIR: this.dir, OVS_RUNDIR: this.dir };
  }

  #socket(name: 'nb' | 'sb'): string {
    return `unix:${join(this.dir, `${name}.sock`)}`;
  }
}

/** Commands as the words of one transaction. */
const joined = (commands: readonly (readonly string[])[]): readonly string[] =>
  commands.flatMap((command, i) => (i === 0 ? command : ['--', ...command]));
