import { type Command } from 'commander';
import { type EventList, type EventView } from '#contracts';
import { wholeNumber } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { sseEvents } from '../http/sse.js';
import { eventLine } from '../render/operations.js';
import { type Session } from '../session.js';
import { type Register } from './register.js';

interface EventOptions {
  readonly from?: number;
  readonly to?: number;
  readonly type?: string;
  readonly object?: string;
  readonly limit: number;
  readonly follow?: boolean;
}

export const registerEvents: Register = (program, action) => {
  program
    .command('events')
    .description('what happened: the log, told in sentences')
    .option('--from <revision>', 'from this revision on (default: the last ones)', wholeNumber(0))
    .option('--to <revision>', 'up to this revision', wholeNumber(0))
    .option('--type <type>', 'only events of this type, as PortConnected')
    .option('--object <kind/name>', 'only events about this object, as port/p1')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 1000), 50)
    .option('--follow', 'stay, and print each as it happens')
    .addHelpText('after', '\nExamples:\n  portolan events --object port/p1\n  portolan events --follow')
    .action(action(events));
};

async function events(s: Session, command: Command): Promise<void> {
  const o = command.opts<EventOptions>();
  const { from, to, type, object, limit } = o;
  const page = await s.api.get<EventList>('/events', { from, to, type, object, limit });
  if (o.follow !== true)
    return s.show(page, () => page.items.map((e) => line(s, e)).join('') || 'no events\n');
  for (const e of page.items) print(s, e);
  await followEvents(s, page.revision, { type, object }, (e) => print(s, e));
}

const line = (s: Session, e: EventView): string => eventLine(e, s.style, s.io.now());
const print = (s: Session, e: EventView): void =>
  s.io.out(s.format === 'table' ? line(s, e) : `${JSON.stringify(e)}\n`);

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body !== null) yield* response.body as ReadableStream<Uint8Array>;
}

/** Follows until Ctrl-C, across breaks of the connection: nothing is lost or told twice. */
export async function followEvents(
  s: Session,
  after: number,
  filter: { readonly type: string | undefined; readonly object: string | undefined },
  each: (event: EventView) => void,
): Promise<void> {
  let last = String(after);
  let failures = 0;
  while (!s.io.signal.aborted) {
    try {
      const response = await s.api.open('/events/stream', filter, {
        'last-event-id': last,
        accept: 'text/event-stream',
      });
      failures = 0;
      for await (const e of sseEvents(bodyOf(response))) {
        if (e.event === 'event') each(JSON.parse(e.data) as EventView);
        if (e.id !== null) last = e.id;
      }
    } catch (cause) {
      if (s.io.signal.aborted) return;
      if (cause instanceof CliError && cause.exit !== EXIT.unavailable) throw cause;
      if (failures === 0) s.io.err('the connection broke; trying again until Ctrl-C\n');
      failures += 1;
    }
    await s.io.sleep(Math.min(5000, 250 * 2 ** Math.min(failures, 5)));
  }
}
