import 'reflect-metadata';
import { Command, CommanderError } from 'commander';
import { invalid, messageOf, ProblemError, systemClock } from '#kernel';
import { JetStreamLog } from '#event-store/jetstream';
import { LogConfig, loadConfig, NatsLink, natsOptionsOf } from '#platform';
import { archiveIn } from '#runtime';
import { archiving, type ArchivingOutcome, type ArchivingRequest } from './archiving.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function tell({ segments, first, last, taken, digest }: ArchivingOutcome): void {
  for (const s of segments) {
    const { before, last: end, messages, bytes, fileBytes } = s;
    const where = s.last.seq < first ? 'archive only' : 'archive and stream';
    say(
      `${s.name}  revisions ${before.revision + 1} to ${end.revision} of ${end.lineage}, ${messages} messages, ${where}`,
    );
    say(`  ${mega(bytes)} in ${mega(fileBytes)}; state ${s.state.digest} (${s.state.codeVersion})`);
    say(`  sealed ${s.sealed.at} by ${s.sealed.by}: ${s.sealed.reason}`);
  }
  say(`the stream holds messages ${first} to ${last}`);
  if (taken !== undefined) say(`taken out of the stream: ${taken} messages`);
  if (digest !== undefined) say(`archive and stream together come to the state ${digest}`);
}

function requested(): ArchivingRequest {
  let request: ArchivingRequest = { do: 'list' };
  const program = new Command('archive').description('keeps old parts of the log in files').exitOverride();
  program
    .command('list', { isDefault: true })
    .description('says what is in the archive')
    .action(() => void (request = { do: 'list' }));
  program
    .command('seal')
    .description('writes what is older than some days as a segment, and reads it again; takes nothing out')
    .requiredOption('--days <number>', 'how old a commit is at least', Number)
    .requiredOption('--reason <text>', 'kept in the segment')
    .action((options: { days: number; reason: string }) => void (request = { do: 'seal', ...options }));
  program
    .command('trim')
    .description('takes sealed segments out of the stream, each read again before')
    .action(() => void (request = { do: 'trim' }));
  program
    .command('verify')
    .description('reads every segment and replays archive and stream to the state')
    .action(() => void (request = { do: 'verify' }));
  program.parse();
  return request;
}

async function main(): Promise<void> {
  const request = requested();
  const config = await loadConfig(LogConfig, { env: process.env });
  if (!config.ok) throw new ProblemError(config.error);
  const { archiveDir } = config.value;
  if (archiveDir === undefined)
    throw new ProblemError(
      invalid('PORTOLAN_ARCHIVE_DIR', undefined, 'is not set', 'the directory of the archive'),
    );
  const link = NatsLink.open(natsOptionsOf(config.value, 'archive'));
  try {
    const log = await JetStreamLog.open(await link.connection(), { inboxPrefix: link.inboxPrefix });
    const actor = process.env['PORTOLAN_ACTOR'] ?? process.env['USER'] ?? 'operator';
    const outcome = await archiving(request, {
      log,
      archive: archiveIn(archiveDir),
      clock: systemClock,
      actor,
    });
    log.close();
    if (!outcome.ok) throw new ProblemError(outcome.error);
    tell(outcome.value);
  } finally {
    await link.close();
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`archive: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
