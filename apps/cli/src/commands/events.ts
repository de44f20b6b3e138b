import { type Command } from 'commander';
import { type EventList, type EventView } from '#contracts/http';
import { wholeNumber } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { type Query } from '../http/client.js';
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
  readonly all?: boolean;
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
    .option('--all', 'also what only keeps books, as facts taken in')
    .option('--follow', 'stay, and print each as it happens')
    .addHelpText('after', '\nExamples:\n  portolan events --object port/p1\n  portolan events --follow')
    .action(action(events));
};

async function events(s: Session, command: Command): Promise<void> {
  const o = command.opts<EventOptions>();
  const { from, to, type, object, limit } = o;
  const filter = { type, object, quiet: o.all !== true };
  // The stream itself tells everything from a revision on: no page in between could leave a gap.
  if (o.follow === true && from !== undefined)
    return followEvents(s, String(Math.max(0, from - 1)), filter, (e) => print(s, e));
  const page = await s.api.get<EventList>('/events', { from, to, limit, ...filter });
  if (o.follow !== true) return s.show(page, () => pageText(s, page));
  for (const e of page.items) print(s, e);
  await followEvents(s, idOf(page), filter, (e) => print(s, e));
}

/** Where the events of a page end, as the stream names it. */
const idOf = ({ lineage, revision }: EventList): string =>
  lineage === null ? String(revision) : `${lineage}:${revision}`;

function pageText(s: Session, page: EventList): string {
  const more = page.next === null ? '' : s.style.dim(`more with --from ${page.next}\n`);
  return (page.items.map((e) => line(s, e)).join('') || 'no events\n') + more;
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
  after: string,
  filter: Query,
  each: (event: EventView) => void,
): Promise<void> {
  let last = after;
  let failures = 0;
  let told: EventView | undefined;
  // A commit that broke off in the middle comes again, whole.
  const once = (e: EventView): void => {
    const again =
      told?.lineage === e.lineage &&
      (e.revision < told.revision || (e.revision === told.revision && e.index <= told.index));
    if (again) return;
    told = e;
    each(e);
  };
  while (!s.io.signal.aborted) {
    try {
      const response = await s.api.open('/events/stream', filter, {
        'last-event-id': last,
        accept: 'text/event-stream',
      });
      failures = 0;
      for await (const e of sseEvents(bodyOf(response))) {
        if (e.event === 'event') once(JSON.parse(e.data) as EventView);
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
