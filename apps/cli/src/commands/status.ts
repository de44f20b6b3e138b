import { type EventList, type HostView, type ListOf, type MigrationView, type Status } from '#contracts/http';
import { eventLine, statusText } from '../render/operations.js';
import { hostTable, migrationTable } from '../render/resources.js';
import { redraw } from '../render/screen.js';
import { type Session } from '../session.js';
import { type Register } from './register.js';

const WATCH_MS = 1000;
const SHOWN_EVENTS = 8;

export const registerStatus: Register = (program, action) => {
  program
    .command('status')
    .description('the cluster in a few lines: revision, leader, hosts, digest of the state')
    .action(action(status));
  program
    .command('watch')
    .description('the cluster live: status, hosts, migrations, the last events')
    .action(action((s) => redraw(s, WATCH_MS, () => watchText(s))));
};

async function status(s: Session): Promise<void> {
  const answer = await s.api.get<Status>('/status');
  s.show(answer, () => statusText(answer, s.style, s.io.now()));
}

async function watchText(s: Session): Promise<string> {
  const [status, hosts, migrations, events] = await Promise.all([
    s.api.get<Status>('/status', { digest: false }),
    s.api.get<ListOf<HostView>>('/hosts'),
    s.api.get<ListOf<MigrationView>>('/migrations', { active: true }),
    s.api.get<EventList>('/events', { limit: SHOWN_EVENTS, quiet: true }),
  ]);
  if (s.format !== 'table') return `${JSON.stringify({ status, hosts, migrations, events })}\n`;
  const now = s.io.now();
  const moving = migrations.items.length === 0 ? '' : `\n${migrationTable(migrations.items, s.style, now)}`;
  const latest = events.items.map((e) => fit(eventLine(e, s.style, now), s)).join('');
  return `${statusText(status, s.style, now)}\n${hostTable(hosts.items, s.style, now)}${moving}\n${latest}`;
}

/** Colours take no room on the screen, so a coloured line is left as it is. */
const fit = (line: string, s: Session): string =>
  line.includes('\u001b') || line.length <= s.io.columns ? line : `${line.slice(0, s.io.columns - 1)}…\n`;
