import { InvalidArgumentError, type Command } from 'commander';
import { type HostView, type WriteResult } from '#contracts/http';
import { type Session } from '../session.js';
import { finishWrite } from './apply.js';
import { type Register } from './register.js';

export const registerHost: Register = (program, action) => {
  const host = program.command('host').description('what only an operator can know of a host');
  host
    .command('maintenance')
    .description('keep VMs from being sent to a host, or let them come again; those there stay: see evacuate')
    .argument('<name>', 'the host')
    .argument('<on|off>', 'whether it is in maintenance', onOrOff)
    .option('--reason <text>', 'kept with the commit')
    .action(action(maintenance));
  host
    .command('give-up')
    .description('go on without the counters that a host owes, because it will not come back')
    .argument('<name>', 'the host')
    .requiredOption('--reason <text>', 'kept in the ledgers: their segments there are inexact')
    .option('--dead', 'nothing runs there any more: as `host dead`')
    .addHelpText('after', '\nExample:\n  portolan host give-up alpha --reason "disk lost"')
    .action(action((s, command) => giveUp(s, command, command.opts<Word>())));
  host
    .command('dead')
    .description('say that nothing runs on a host any more: its ports go to who waits for them')
    .argument('<name>', 'the host')
    .requiredOption(
      '--reason <text>',
      'kept in the log, and in the ledgers: their segments there are inexact',
    )
    .option('--fenced', 'its power was taken away just now: believed even if it was heard of just before')
    .addHelpText(
      'after',
      '\nExample:\n  portolan host dead alpha --fenced --reason "IPMI power off by pacemaker"',
    )
    .action(action((s, command) => giveUp(s, command, { ...command.opts<Word>(), dead: true })));
};

function onOrOff(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('Expected on or off.');
  return text === 'on';
}

/** Written back on the version that was read: a change in between is a conflict, never lost. */
async function maintenance(s: Session, command: Command): Promise<void> {
  const [name, on] = command.processedArgs as [string, boolean];
  const { reason } = command.opts<{ reason?: string }>();
  const { status: _status, ...host } = await s.api.get<HostView>(`/hosts/${encodeURIComponent(name)}`);
  const wanted = { ...host, spec: { ...host.spec, maintenance: on } };
  finishWrite(s, await s.api.post<WriteResult>('/apply', { resources: [wanted] }, { reason }));
}

interface Word {
  readonly reason: string;
  readonly dead?: true;
  readonly fenced?: true;
}

async function giveUp(s: Session, command: Command, word: Word): Promise<void> {
  const name = encodeURIComponent(command.processedArgs[0] as string);
  finishWrite(s, await s.api.post<WriteResult>(`/hosts/${name}/give-up-counters`, word));
}
