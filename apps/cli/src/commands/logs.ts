import { type Command } from 'commander';
import { type RuleLogEntry, type RuleLogList } from '#contracts/http';
import { wholeNumber } from '../arguments.js';
import { type Query } from '../http/client.js';
import { ruleLogLine } from '../render/rule-log.js';
import { type Session } from '../session.js';
import { type Register } from './register.js';

interface LogOptions {
  readonly port?: string;
  readonly host?: string;
  readonly rule?: string;
  readonly limit: number;
  readonly follow?: boolean;
}

/** Agents tell about once a second. */
const AGAIN_MS = 1_000;
const MOST = 1_000;

export const registerLogs: Register = (program, action) => {
  program
    .command('logs')
    .description('frames that rules with `log` took, of late')
    .option('--port <port>', 'only at this port')
    .option('--host <host>', 'only on this host')
    .option('--rule <rule>', 'only of rules of this name')
    .option('--limit <n>', 'at most so many', wholeNumber(1, MOST), 50)
    .option('--follow', 'stay, and print each as it comes')
    .addHelpText('after', '\nExamples:\n  portolan logs --rule no-telnet\n  portolan logs --port p1 --follow')
    .action(action(logs));
};

async function logs(s: Session, command: Command): Promise<void> {
  const { port, host, rule, limit, follow } = command.opts<LogOptions>();
  const filter = { port, host, rule };
  const page = await s.api.get<RuleLogList>('/logs', { ...filter, limit });
  if (follow !== true)
    return s.show(page, () => page.items.map((e) => line(s, e)).join('') || 'nothing was logged of late\n');
  print(s, page);
  await followLog(s, page.last, filter);
}

/** Until Ctrl-C. What comes between two looks is on the next page, or the one after. */
async function followLog(s: Session, from: number, filter: Query): Promise<void> {
  let after = from;
  while (!s.io.signal.aborted) {
    const page = await s.api.get<RuleLogList>('/logs', { ...filter, after, limit: MOST });
    print(s, page);
    const isWhole = page.items.length < MOST;
    after = isWhole ? page.last : (page.items.at(-1)?.id ?? page.last);
    if (isWhole) await s.io.sleep(AGAIN_MS);
  }
}

const line = (s: Session, e: RuleLogEntry): string => ruleLogLine(e, s.style, s.io.now());

function print(s: Session, { items }: RuleLogList): void {
  for (const e of items) s.io.out(s.format === 'table' ? line(s, e) : `${JSON.stringify(e)}\n`);
}
