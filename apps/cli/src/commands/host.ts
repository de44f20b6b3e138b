import { type Command } from 'commander';
import { type WriteResult } from '#contracts/http';
import { type Session } from '../session.js';
import { finishWrite } from './apply.js';
import { type Register } from './register.js';

export const registerHost: Register = (program, action) => {
  program
    .command('host')
    .description('what only an operator can know of a host')
    .command('give-up')
    .description('go on without the counters that a host owes, because it will not come back')
    .argument('<name>', 'the host')
    .requiredOption('--reason <text>', 'kept in the ledgers: their segments there are inexact')
    .option('--dead', 'nothing runs there any more: let go of its ports, too; refused while it is heard of')
    .addHelpText('after', '\nExample:\n  portolan host give-up alpha --dead --reason "board burnt"')
    .action(action(giveUp));
};

async function giveUp(s: Session, command: Command): Promise<void> {
  const name = encodeURIComponent(command.processedArgs[0] as string);
  const said = command.opts<{ reason: string; dead?: true }>();
  finishWrite(s, await s.api.post<WriteResult>(`/hosts/${name}/give-up-counters`, said));
}
