import { type Command } from 'commander';
import { type MigrationView, type WriteResult } from '#contracts/http';
import { seconds, waitSeconds } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { state } from '../render/style.js';
import { duration } from '../render/units.js';
import { type Session } from '../session.js';
import { finishWrite } from './apply.js';
import { type Register } from './register.js';

const POLL_MS = 150;

export const registerMigrate: Register = (program, action) => {
  program
    .command('migrate')
    .description('move a VM, with its ports, their policy and their counters')
    .argument('<owner>', 'the VM or container, as get ports names it')
    .requiredOption('--to <host>', 'destination')
    .option('--reason <text>', 'kept in its history')
    .option('--wait [seconds]', 'show it phase by phase and return when it is over (default 30)', seconds)
    .addHelpText('after', '\nExample:\n  portolan migrate vm-a --to bravo --reason "memory upgrade" --wait')
    .action(action(migrate));
  program
    .command('abort')
    .description(
      'abort a running migration: the VM stays where it is; or an evacuation: no more VMs are sent off',
    )
    .argument('<id>', 'of a migration, as m3, or an evacuation, as e3')
    .option('--reason <text>', 'kept in its history')
    .option('--abort-running', 'of an evacuation: call back the VMs on their way, too')
    .action(action(abort));
};

async function migrate(s: Session, command: Command): Promise<void> {
  const o = command.opts<{ to: string; reason?: string; wait?: number | true }>();
  const owner = command.processedArgs[0] as string;
  const body = { owner, destination: o.to, ...(o.reason === undefined ? {} : { reason: o.reason }) };
  const result = await s.api.post<WriteResult>('/migrations', body);
  const id = result.changed.find((c) => c.kind === 'Migration')?.name;
  const wait = waitSeconds(o.wait);
  if (wait === undefined || id === undefined) return finishWrite(s, result);
  s.say(`migration ${s.style.bold(id)}: ${owner} to ${o.to}\n`);
  const last = await follow(s, id, wait);
  if (s.format !== 'table') s.show(last, () => '');
  if (!last.finished) {
    throw new CliError(EXIT.timedOut, `migration ${id} is still ${last.phase} after ${wait} s; it goes on`);
  }
  if (last.phase !== 'completed') {
    const why = last.history.at(-1)?.reason;
    throw new CliError(
      EXIT.failed,
      `migration ${id} ${last.phase}${why === undefined || why === null ? '' : `: ${why}`}; ${owner} stays on ${last.source}`,
    );
  }
  s.say(`${s.style.good('completed')} in ${duration(last.elapsedMs)}\n`);
}

/** Prints each phase once, as it is seen in the history, with the time that it took by the log's clock. */
async function follow(s: Session, id: string, waitS: number): Promise<MigrationView> {
  const end = s.io.now() + waitS * 1000;
  let shown = 0;
  for (;;) {
    const m = await s.api.get<MigrationView>(`/migrations/${encodeURIComponent(id)}`);
    for (const step of m.history.slice(shown)) {
      const took = shown === 0 ? '' : `+${duration(step.afterMs)}`.padStart(9);
      const gap = ' '.repeat(Math.max(0, 10 - step.phase.length));
      const text = `  ${state(s.style, step.phase)}${gap}${took}  ${step.reason ?? ''}`;
      s.say(`${text.trimEnd()}\n`);
      shown += 1;
    }
    if (m.finished || s.io.now() >= end) return m;
    await s.io.sleep(POLL_MS);
    if (s.io.signal.aborted) throw new CliError(EXIT.interrupted, `interrupted; migration ${id} goes on`);
  }
}

async function abort(s: Session, command: Command): Promise<void> {
  const id = command.processedArgs[0] as string;
  const body = command.opts<{ reason?: string; abortRunning?: true }>();
  const what = /^e[0-9]/.test(id) ? 'evacuations' : 'migrations';
  if (what === 'migrations' && body.abortRunning === true)
    throw new CliError(EXIT.usage, '--abort-running: is of an evacuation; expected an id as e3');
  finishWrite(s, await s.api.post<WriteResult>(`/${what}/${encodeURIComponent(id)}/abort`, body));
}
