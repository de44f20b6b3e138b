import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { type Command } from 'commander';
import { type ReplayReport } from '#contracts/http';
import { wholeNumber } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { reasonOf } from '../http/client.js';
import { bytes } from '../render/units.js';
import { replayText } from '../render/replay.js';
import { type Session } from '../session.js';
import { type Register } from './register.js';

export const registerHistory: Register = (program, action) => {
  program
    .command('export')
    .description('write the log as it stands, one commit a line (NDJSON)')
    .option('-f, --filename <file>', 'into this file instead of standard output')
    .option('--from <revision>', 'from this revision on', wholeNumber(1))
    .option('--to <revision>', 'up to this revision', wholeNumber(1))
    .addHelpText('after', '\nExample:\n  portolan export -f log.ndjson && portolan replay log.ndjson')
    .action(action(exportLog));
  program
    .command('replay')
    .description('fold an exported log into an empty state; check its chain; show digest and ledgers')
    .argument('<file>', 'as export wrote it; - reads standard input')
    .action(action(replay));
};

async function exportLog(s: Session, command: Command): Promise<void> {
  const o = command.opts<{ filename?: string; from?: number; to?: number }>();
  const response = await s.api.open(
    '/log/export',
    { from: o.from, to: o.to },
    { accept: 'application/x-ndjson' },
  );
  const body = Readable.fromWeb(response.body as never);
  try {
    if (o.filename !== undefined && o.filename !== '-') {
      const file = createWriteStream(o.filename);
      await pipeline(body, file);
      s.io.err(`${bytes(file.bytesWritten)} written to ${o.filename}\n`);
    } else {
      const decoder = new TextDecoder();
      for await (const part of body) s.io.out(decoder.decode(part as Uint8Array, { stream: true }));
    }
  } catch (cause) {
    if (s.io.signal.aborted)
      throw new CliError(EXIT.interrupted, 'interrupted; what was written is not whole');
    throw new CliError(EXIT.failed, `the export broke off and is not whole (${reasonOf(cause)})`);
  }
}

async function replay(s: Session, command: Command): Promise<void> {
  const file = command.processedArgs[0] as string;
  let data: Buffer;
  try {
    data = await s.io.read(file);
  } catch (cause) {
    throw new CliError(EXIT.failed, `${file}: can't be read (${reasonOf(cause)})`);
  }
  const report = await s.api.send<ReplayReport>('/replay', 'application/x-ndjson', data);
  s.show(report, () => replayText(report, s.style));
}
