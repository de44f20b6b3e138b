import { type Command } from 'commander';
import { type Realised, type WriteResult } from '#contracts/http';
import { seconds, waitSeconds, wholeNumber } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { reasonOf } from '../http/client.js';
import { realisedText, writeText } from '../render/writes.js';
import { type Session } from '../session.js';
import { type Register } from './register.js';

interface ApplyOptions {
  readonly filename: string;
  readonly dryRun?: boolean;
  readonly wait?: number | true;
}

export const registerApply: Register = (program, action) => {
  program
    .command('apply')
    .description('state what should be: one file is one commit, all of it or nothing')
    .requiredOption('-f, --filename <file>', 'YAML with one or more resources; - reads standard input')
    .option('--dry-run', 'check it and tell what would change, without changing anything')
    .option('--wait [seconds]', 'return when every host concerned carries it out (default 30)', seconds)
    .addHelpText(
      'after',
      '\nExamples:\n  portolan apply -f deploy/examples/quickstart.yaml --wait\n  portolan get group web -o yaml | sed s/id:.10/id:\\ 11/ | portolan apply -f - --dry-run',
    )
    .action(action(apply));
  program
    .command('wait')
    .description('wait until a revision is carried out on every host concerned')
    .argument('<revision>', 'as apply printed it', wholeNumber(0))
    .option('--timeout <seconds>', 'give up after', seconds, 30)
    .action(action(waitFor));
};

async function apply(s: Session, command: Command): Promise<void> {
  const o = command.opts<ApplyOptions>();
  let data: Buffer;
  try {
    data = await s.io.read(o.filename);
  } catch (cause) {
    throw new CliError(EXIT.failed, `--filename ${o.filename}: can't be read (${reasonOf(cause)})`);
  }
  const wait = o.dryRun === true ? undefined : waitSeconds(o.wait);
  const query = { dryRun: o.dryRun, wait };
  finishWrite(s, await s.api.send<WriteResult>('/apply', 'application/yaml', data, query));
}

async function waitFor(s: Session, command: Command): Promise<void> {
  const { timeout } = command.opts<{ timeout: number }>();
  const revision = command.processedArgs[0] as number;
  const realised = await s.api.get<Realised>(`/revisions/${revision}/realised`, { timeout });
  s.show(realised, () => realisedText(realised, s.style));
  failUnlessRealised(realised);
}

/** Prints what a write did and, where it was waited for, how far it got. */
export function finishWrite(s: Session, result: WriteResult): void {
  const { realised } = result;
  s.show(
    result,
    () => writeText(result, s.style) + (realised === undefined ? '' : realisedText(realised, s.style)),
  );
  if (realised !== undefined) failUnlessRealised(realised);
}

function failUnlessRealised(realised: Realised): void {
  if (realised.realised) return;
  const names = [...realised.waiting.map((w) => w.host), ...realised.exceptions.map((e) => e.host)];
  throw new CliError(
    EXIT.timedOut,
    `revision ${realised.revision} stands, but it is not carried out yet on ${[...new Set(names)].join(', ') || 'every host'}`,
  );
}
