import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import { messageOf, ProblemError } from '#kernel';
import { JetStreamLog } from '#event-store/jetstream';
import { CommonConfig, loadConfig, NatsLink, natsOptionsOf } from '#platform';
import { repudiation, type RepudiationOutcome } from './repudiation.js';

/** What an operator has to see. 0: the log can be read (now). 1: refused. 3: a commit stands in the way. */
function tell(outcome: RepudiationOutcome): number {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (outcome.kind === 'readable') {
    say(`the log can be read up to revision ${outcome.revision}: nothing stands in the way`);
    return 0;
  }
  const { revision, hash, problem } = outcome.poison;
  if (outcome.kind === 'repudiated') {
    say(`revision ${revision} is repudiated by revision ${outcome.revision}: readers pass it by and go on`);
    return 0;
  }
  say(`revision ${revision} can't be read: ${problem.message}`);
  for (const d of problem.details)
    say(`  ${d.field}: ${d.reason}${d.expected ? `; expected ${d.expected}` : ''}`);
  say(`If its content may be lost for good, repudiate it:\n  --hash ${hash} --reason "..."`);
  return 3;
}

async function main(): Promise<number> {
  const program = new Command('repudiate')
    .description(
      'says which commit of the log can’t be read; with its hash and a reason, leaves it out for good',
    )
    .option('--hash <sha256>', 'of the commit, as this command says it')
    .option('--reason <text>', 'kept in the log')
    .option('--cluster <name>', 'name of the cluster', 'default')
    .exitOverride();
  const { hash, reason, cluster } = program
    .parse()
    .opts<{ hash?: string; reason?: string; cluster: string }>();
  const config = await loadConfig(CommonConfig, { env: process.env });
  if (!config.ok) throw new ProblemError(config.error);
  const link = NatsLink.open(natsOptionsOf(config.value, 'repudiate'));
  try {
    const nc = await link.connection();
    const log = await JetStreamLog.open(nc, { inboxPrefix: link.inboxPrefix });
    const actor = process.env['PORTOLAN_ACTOR'] ?? process.env['USER'] ?? 'operator';
    const ids = { next: () => randomUUID() as string };
    const outcome = await repudiation({ hash, reason }, { log, ids, cluster, actor, now: Date.now() });
    if (!outcome.ok) throw new ProblemError(outcome.error);
    return tell(outcome.value);
  } finally {
    await link.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`repudiate: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
