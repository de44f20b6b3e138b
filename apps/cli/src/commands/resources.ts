import { type Command } from 'commander';
import {
  type EvacuationDescription,
  type EvacuationView,
  type GroupStats,
  type GroupView,
  type HostView,
  type ListOf,
  type MigrationDescription,
  type MigrationView,
  type PortDescription,
  type PortView,
  type SetView,
  type SwitchView,
  type WriteResult,
} from '#contracts/http';
import { kind, seconds, sinceTime, waitSeconds, wholeNumber, type Kind } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { type Query } from '../http/client.js';
import { describeGroup, describeHost, describeSet, describeSwitch } from '../render/describe.js';
import { describeMigration } from '../render/describe-migration.js';
import { describeEvacuation, evacuationTable } from '../render/evacuations.js';
import { describePort } from '../render/describe-port.js';
import {
  groupTable,
  hostTable,
  migrationTable,
  portTable,
  setTable,
  switchTable,
} from '../render/resources.js';
import { type Session } from '../session.js';
import { finishWrite } from './apply.js';
import { type Register } from './register.js';

interface Filters {
  readonly group?: string;
  readonly host?: string;
  readonly owner?: string;
  readonly switch?: string;
  readonly phase?: string;
  readonly since?: string;
}

const KINDS_HELP = 'host, switch, group, port, set, migration or evacuation';

export const registerResources: Register = (program, action) => {
  program
    .command('get')
    .description('list resources, or show one')
    .argument('<kind>', KINDS_HELP, kind)
    .argument('[name]')
    .option('--group <group>', 'only ports of this group')
    .option('--host <host>', 'only what is on this host')
    .option('--owner <owner>', 'only what belongs to this VM or container')
    .option('--switch <switch>', 'only what is on this switch')
    .addHelpText(
      'after',
      '\nExamples:\n  portolan get groups\n  portolan get ports --host alpha\n  portolan get switch prod -o yaml',
    )
    .action(action(get));
  program
    .command('describe')
    .description('tell everything known of one resource')
    .argument('<kind>', KINDS_HELP, kind)
    .argument('<name>')
    .addHelpText('after', '\nExamples:\n  portolan describe port p1\n  portolan describe host alpha')
    .action(action(describe));
  program
    .command('delete')
    .description('remove a host, switch, port group, set or free port')
    .argument('<kind>', 'host, switch, group, set or port', kind)
    .argument('<name>')
    .option('--version <revision>', 'only if it was not changed since', wholeNumber(0))
    .option('--wait [seconds]', 'return when every host concerned carries it out', seconds)
    .action(action(remove));
  program
    .command('hosts')
    .description('the hosts: what they hold, what they carry out, when they were last seen')
    .action(action((s) => list(s, 'hosts', {})));
  program
    .command('migrations')
    .description('running and past migrations')
    .option('--vm <owner>', 'only those of this VM or container')
    .option('--owner <owner>', 'the same')
    .option('--host <host>', 'only those from or to this host')
    .option('--phase <phase>', 'only those in this phase, as completed or failed')
    .option(
      '--since <when>',
      'only those that began within 90s, 15m, 8h or 7d, or since 2026-03-01T12:00:00Z',
    )
    .addHelpText('after', '\nExample:\n  portolan migrations --phase failed --since 1d')
    .action(action((s, c) => migrations(s, c.opts<MigrationFilters>())));
  program
    .command('evacuations')
    .description('running and past evacuations of hosts')
    .option('--host <host>', 'only those of this host')
    .action(action((s, c) => list(s, 'evacuations', c.opts<Filters>())));
};

interface MigrationFilters {
  readonly vm?: string;
  readonly owner?: string;
  readonly host?: string;
  readonly phase?: string;
  readonly since?: string;
}

function migrations(s: Session, { vm, since, ...rest }: MigrationFilters): Promise<void> {
  return list(s, 'migrations', {
    ...(vm === undefined ? {} : { owner: vm }),
    ...rest,
    ...(since === undefined ? {} : { since: sinceTime(since, s.io.now()) }),
  });
}

async function get(s: Session, command: Command): Promise<void> {
  const [what, name] = command.processedArgs as [Kind, string | undefined];
  if (name === undefined) return list(s, what, command.opts<Filters>());
  const item = await one(s, what, name);
  s.show(item, () => listText(s, what, [item]));
}

/** A port is told by its description; its resource is what can be applied again. */
async function one(s: Session, what: Kind, name: string): Promise<unknown> {
  const item = await s.api.get<unknown>(`/${what}/${encodeURIComponent(name)}`);
  return what === 'ports' ? (item as PortDescription).port : item;
}

export async function list(s: Session, what: Kind, filters: Filters): Promise<void> {
  const answer = await everyPage<unknown>(s, `/${what}`, { ...filters });
  s.show(answer, () => (answer.items.length === 0 ? `no ${what}\n` : listText(s, what, answer.items)));
}

/** All pages as one list. */
async function everyPage<T>(s: Session, path: string, query: Query): Promise<ListOf<T>> {
  const first = await s.api.get<ListOf<T>>(path, query);
  const items = [...first.items];
  for (let after = first.next; after !== null;) {
    const more = await s.api.get<ListOf<T>>(path, { ...query, after });
    items.push(...more.items);
    after = more.next;
  }
  return { ...first, items, next: null };
}

function listText(s: Session, what: Kind, items: readonly unknown[]): string {
  switch (what) {
    case 'hosts':
      return hostTable(items as HostView[], s.style, s.io.now());
    case 'switches':
      return switchTable(items as SwitchView[], s.style);
    case 'groups':
      return groupTable(items as GroupView[], s.style);
    case 'ports':
      return portTable(items as PortView[], s.style);
    case 'sets':
      return setTable(items as SetView[], s.style);
    case 'migrations':
      return migrationTable(items as MigrationView[], s.style, s.io.now());
    case 'evacuations':
      return evacuationTable(items as EvacuationView[], s.style, s.io.now());
  }
}

async function describe(s: Session, command: Command): Promise<void> {
  const [what, name] = command.processedArgs as [Kind, string];
  const item = await s.api.get<unknown>(`/${what}/${encodeURIComponent(name)}`);
  // What a group counts is no part of the resource.
  const counted =
    what === 'groups' ? await s.api.get<ListOf<GroupStats>>('/stats/groups', { group: name }) : null;
  s.show(item, () => describeText(s, what, item, counted?.items[0]));
}

function describeText(s: Session, what: Kind, item: unknown, counted: GroupStats | undefined): string {
  switch (what) {
    case 'hosts':
      return describeHost(item as HostView, s.style, s.io.now());
    case 'switches':
      return describeSwitch(item as SwitchView, s.style);
    case 'groups':
      return describeGroup(item as GroupView, counted, s.style);
    case 'ports':
      return describePort(item as PortDescription, s.style, s.io.now());
    case 'sets':
      return describeSet(item as SetView, s.style);
    case 'migrations':
      return describeMigration(item as MigrationDescription, s.style, s.io.now());
    case 'evacuations':
      return describeEvacuation(item as EvacuationDescription, s.style, s.io.now());
  }
}

async function remove(s: Session, command: Command): Promise<void> {
  const [what, name] = command.processedArgs as [Kind, string];
  if (what === 'migrations' || what === 'evacuations') {
    const one = what === 'migrations' ? 'a migration' : 'an evacuation';
    throw new CliError(EXIT.usage, `${one} is history and is not deleted; stop one with: portolan abort ID`);
  }
  const o = command.opts<{ version?: number; wait?: number | true }>();
  const query = { version: o.version, wait: waitSeconds(o.wait) };
  finishWrite(s, await s.api.delete<WriteResult>(`/${what}/${encodeURIComponent(name)}`, query));
}
