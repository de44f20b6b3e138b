import { type Command } from 'commander';
import { type EvacuationDescription, type WriteResult } from '#contracts/http';
import { secondsUpTo, wholeNumber } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { countsText, EvacuationProgress } from '../render/evacuations.js';
import { CLEAR_LINE } from '../render/screen.js';
import { state } from '../render/style.js';
import { duration, plural } from '../render/units.js';
import { type Session } from '../session.js';
import { finishWrite } from './apply.js';
import { type Register } from './register.js';

const POLL_MS = 250;
const DAY_S = 86_400;

export const registerEvacuate: Register = (program, action) => {
  program
    .command('evacuate')
    .description('put a host into maintenance and move its VMs to other hosts')
    .argument('<host>', 'the host that is to be empty')
    .option('--to <host...>', 'only to these; default: wherever they are admitted, spread over the hosts')
    .option('--parallel <n>', 'at most so many at once, within the limits of the hosts', wholeNumber(1, 1000))
    .option('--attempts <n>', 'how often one VM is tried (default 3)', wholeNumber(1, 10))
    .option('--reason <text>', 'kept in its history')
    .option('--wait [seconds]', 'show it VM by VM and return when it is over', secondsUpTo(DAY_S))
    .addHelpText(
      'after',
      '\nExamples:\n  portolan evacuate alpha --wait --reason "new board"\n  portolan evacuate alpha --to bravo charlie --parallel 1\n  portolan abort e1 --abort-running\n  portolan host maintenance alpha off',
    )
    .action(action(evacuate));
};

interface Options {
  readonly to?: readonly string[];
  readonly parallel?: number;
  readonly attempts?: number;
  readonly reason?: string;
  readonly wait?: number | true;
}

async function evacuate(s: Session, command: Command): Promise<void> {
  const { wait, to, ...asked } = command.opts<Options>();
  const host = command.processedArgs[0] as string;
  const body = { ...asked, ...(to === undefined ? {} : { to: to.flatMap((t) => t.split(',')) }) };
  const result = await s.api.post<WriteResult>(`/hosts/${encodeURIComponent(host)}/evacuate`, body);
  const id = result.changed.find((c) => c.kind === 'Evacuation')?.name;
  if (wait === undefined || id === undefined) return finishWrite(s, result);
  const last = await follow(s, id, wait === true ? Infinity : wait);
  if (s.format !== 'table') s.show(last, () => '');
  finish(s, last);
}

/** Tells each change once; on a terminal, how many stand where is kept in the last line. */
async function follow(s: Session, id: string, waitS: number): Promise<EvacuationDescription> {
  const end = s.io.now() + waitS * 1000;
  const progress = new EvacuationProgress(s.style);
  const live = s.io.tty && s.format === 'table';
  const clear = live ? CLEAR_LINE : '';
  let first = true;
  for (;;) {
    const e = await s.api.get<EvacuationDescription>(`/evacuations/${encodeURIComponent(id)}`);
    if (first)
      s.say(
        `evacuation ${s.style.bold(id)}: ${e.host} is in maintenance, ${plural(e.remaining, 'guest')} there\n`,
      );
    first = false;
    const news = progress.news(e).join('');
    if (live || news !== '') s.say(clear + news);
    if (e.finished || s.io.now() >= end) return e;
    if (live) s.say(s.style.dim(`  ${countsText(e)}`));
    await s.io.sleep(POLL_MS);
    if (s.io.signal.aborted) {
      throw new CliError(
        EXIT.interrupted,
        `interrupted; evacuation ${id} goes on (portolan abort ${id} stops it)`,
      );
    }
  }
}

function finish(s: Session, e: EvacuationDescription): void {
  const { id, phase, host } = e;
  if (!e.finished) {
    throw new CliError(EXIT.timedOut, `evacuation ${id} is still ${phase} (${countsText(e)}); it goes on`);
  }
  s.say(`${state(s.style, phase)} in ${duration(e.elapsedMs)}: ${countsText(e)}\n`);
  if (phase === 'completed') return;
  const why = e.why === null ? '' : ` (${e.why})`;
  throw new CliError(
    EXIT.failed,
    `evacuation ${id} ${phase}${why}: ${plural(e.remaining, 'guest')} left on ${host}`,
  );
}
