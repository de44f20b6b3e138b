import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type Command } from 'commander';
import { type LedgerAudit, type LedgerAuditLine } from '#contracts/http';
import { wholeNumber } from '../arguments.js';
import { CliError, EXIT, exitOf } from '../exit.js';
import { reasonOf } from '../http/client.js';
import { auditText } from '../render/ledger-audit.js';
import { CLEAR_LINE } from '../render/screen.js';
import { count, plural } from '../render/units.js';
import { type Session } from '../session.js';
import { type Register } from './register.js';

export const registerVerify: Register = (program, action) => {
  program
    .command('verify')
    .description('hold what is shown against the log')
    .command('ledgers')
    .description('recompute every ledger from the log alone; exit with 1 where what is shown differs')
    .argument('[file]', 'an exported log instead of that of the cluster; - reads standard input')
    .option('--as-of <revision>', 'as of this revision of the cluster', wholeNumber(1))
    .addHelpText(
      'after',
      '\nExamples:\n  portolan verify ledgers\n  portolan export --to 4711 | portolan verify ledgers -',
    )
    .action(action(verify));
};

async function verify(s: Session, command: Command): Promise<void> {
  const file = command.processedArgs[0] as string | undefined;
  const { asOf } = command.opts<{ asOf?: number }>();
  if (file !== undefined && asOf !== undefined) {
    throw new CliError(
      EXIT.usage,
      '--as-of: is of the cluster; cut a file with: portolan export --to REVISION',
    );
  }
  const audit = file === undefined ? await ofCluster(s, asOf) : await ofFile(s, file);
  s.show(audit, () => auditText(audit, s.style));
  if (audit.agree) return;
  const found = audit.faults.length + audit.differences.length + audit.more;
  throw new CliError(EXIT.failed, `the ledgers are not what the log says: ${plural(found, 'difference')}`);
}

async function ofFile(s: Session, file: string): Promise<LedgerAudit> {
  let data: Buffer;
  try {
    data = await s.io.read(file);
  } catch (cause) {
    throw new CliError(EXIT.failed, `${file}: can't be read (${reasonOf(cause)})`);
  }
  return s.api.send<LedgerAudit>('/verify/ledgers', 'application/x-ndjson', data);
}

/** On a terminal it says how far the log has been read. */
async function ofCluster(s: Session, asOf: number | undefined): Promise<LedgerAudit> {
  const response = await s.api.open('/verify/ledgers', { asOf }, { accept: 'application/x-ndjson' });
  try {
    for await (const text of createInterface({ input: Readable.fromWeb(response.body as never) })) {
      const { progress, audit, problem } = JSON.parse(text) as LedgerAuditLine;
      if (s.io.tty) s.io.err(CLEAR_LINE);
      if (audit !== undefined) return audit;
      if (problem !== undefined) {
        throw new CliError(exitOf(problem.status, problem.code), problem.detail, problem);
      }
      if (progress !== undefined && s.io.tty) {
        s.io.err(s.style.dim(`read ${count(progress.read)} of ${count(progress.of)}`));
      }
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    if (s.io.signal.aborted) throw new CliError(EXIT.interrupted, 'interrupted; nothing was changed');
    throw new CliError(EXIT.unavailable, `the answer broke off (${reasonOf(cause)})`);
  }
  throw new CliError(EXIT.unavailable, 'the answer broke off before the log was read');
}
