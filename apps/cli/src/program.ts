import { Command, CommanderError, Option } from 'commander';
import { registerApply } from './commands/apply.js';
import { registerEvacuate } from './commands/evacuate.js';
import { registerEvents } from './commands/events.js';
import { registerHistory } from './commands/history.js';
import { registerHost } from './commands/host.js';
import { registerLogs } from './commands/logs.js';
import { registerMigrate } from './commands/migrate.js';
import { registerPort } from './commands/port.js';
import { type Handler } from './commands/register.js';
import { registerResources } from './commands/resources.js';
import { registerStats } from './commands/stats.js';
import { registerStatus } from './commands/status.js';
import { registerVerify } from './commands/verify.js';
import { CliError, EXIT, INTERRUPTED } from './exit.js';
import { type Io } from './io.js';
import { errorText } from './render/problem.js';
import { COLOUR, PLAIN } from './render/style.js';
import { DEFAULT_SERVER, FORMATS, openSession } from './session.js';

const HELP = `
Exit codes:
  0 done   1 failed or refused   2 wrong usage   3 not found   4 conflict
  5 server unavailable, nothing done or not known   6 waited, not carried out in time

First steps:
  portolan apply -f deploy/examples/quickstart.yaml --wait
  portolan get ports
  portolan migrate vm-a --to bravo --wait
  portolan stats --watch
  portolan events --follow`;

/** Runs one command line; the result is the exit code. Nothing here ends the process. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const program = build(io);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof CliError)) throw error;
    if (error.message !== INTERRUPTED)
      io.err(errorText(error, io.tty && !io.env['NO_COLOR'] ? COLOUR : PLAIN));
    return error.exit;
  }
}

function build(io: Io): Command {
  const program = new Command('portolan');
  program
    .description('Portolan: one switch over many hosts. Speaks to the operator API.')
    .option('--server <url>', `the API (default: PORTOLAN_SERVER, else ${DEFAULT_SERVER})`)
    .addOption(new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('table'))
    .option('--no-color', 'no colours; also NO_COLOR, and whenever output is not a terminal')
    .addHelpText('after', HELP)
    .showHelpAfterError('Try: portolan --help');
  const action =
    (handler: Handler) =>
    async (...args: unknown[]): Promise<void> => {
      const command = args.at(-1) as Command;
      await handler(openSession(command, io), command);
    };
  const registers = [
    registerApply,
    registerResources,
    registerPort,
    registerMigrate,
    registerEvacuate,
    registerHost,
    registerStats,
    registerLogs,
    registerEvents,
    registerStatus,
    registerHistory,
    registerVerify,
  ];
  for (const register of registers) register(program, action);
  quiet(program, io);
  return program;
}

/** Commander writes where we write, and throws instead of ending the process; for each subcommand anew. */
function quiet(command: Command, io: Io): void {
  command
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  for (const sub of command.commands) quiet(sub, io);
}
