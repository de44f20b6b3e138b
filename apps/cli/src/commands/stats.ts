import { type Command } from 'commander';
import {
  type GroupStats,
  type ListOf,
  type PortHistory,
  type PortStats,
  type UplinkStats,
  type WriteResult,
} from '#contracts/http';
import { wholeNumber } from '../arguments.js';
import { redraw } from '../render/screen.js';
import {
  groupStatsTable,
  historyTable,
  portStatsTable,
  ruleHitsTable,
  statsSummary,
  uplinkStatsTable,
} from '../render/stats.js';
import { type Session } from '../session.js';
import { finishWrite } from './apply.js';
import { type Register } from './register.js';

interface StatsOptions {
  readonly groups?: boolean;
  readonly uplinks?: boolean;
  readonly rules?: boolean;
  readonly group?: string;
  readonly host?: string;
  readonly owner?: string;
  readonly watch?: boolean;
  readonly interval: number;
}

export const registerStats: Register = (program, action) => {
  const command = program
    .command('stats')
    .description('counters of the ports: totals over every host they were on, and rates')
    .option('--groups', 'sums per port group')
    .option('--uplinks', 'what the devices of uplinks counted')
    .option('--rules', 'what the rules of port groups took')
    .option('--group <group>', 'only ports, or rules, of this group')
    .option('--host <host>', 'only ports, or uplinks, on this host')
    .option('--owner <owner>', 'only ports of this VM or container')
    .option('--watch', 'stay, and show it anew')
    .option('--interval <seconds>', 'between two looks with --watch', wholeNumber(1, 3600), 1)
    .addHelpText(
      'after',
      '\nin is what the VM sent, out what the switch handed to it; of an uplink, in is from the wire.\n' +
        'DROPPED is what policy dropped, both ways; LOST what the VM sent and its switch never read.\n' +
        'REFUSED is what the wire brought with the MAC of a guest of the host: forged, or its own that came round.',
    )
    .action(action(stats));
  command
    .command('reset')
    .description(
      'show the counters of a port from now on; the ledger goes on, and the log has who did it and why',
    )
    .argument('<port>')
    .requiredOption('--reason <text>', 'kept with it')
    .addHelpText('after', "\nExample:\n  portolan stats reset p1 --reason 'new tenant'")
    .action(action(reset));
  command
    .command('history')
    .description('what a port sent and got over the last hour, wherever it was')
    .argument('<port>')
    .action(action(history));
};

async function stats(s: Session, command: Command): Promise<void> {
  const o = command.opts<StatsOptions>();
  const look = (): Promise<Look> => lookAt(s, o);
  if (o.watch !== true) return void (await look().then(({ data, text }) => s.show(data, () => text)));
  await redraw(s, o.interval * 1000, async () => {
    const { data, text } = await look();
    return s.format === 'table' ? text : `${JSON.stringify(data)}\n`;
  });
}

function lookAt(s: Session, o: StatsOptions): Promise<Look> {
  if (o.rules === true) return rules(s, o);
  if (o.groups === true) return groups(s);
  return o.uplinks === true ? uplinks(s, o) : ports(s, o);
}

interface Look {
  readonly data: unknown;
  readonly text: string;
}

async function ports(s: Session, o: StatsOptions): Promise<Look> {
  const { group, host, owner } = o;
  const data = await s.api.get<ListOf<PortStats>>('/stats/ports', { group, host, owner });
  if (data.items.length === 0) return { data, text: 'no connected ports\n' };
  return { data, text: `${portStatsTable(data.items, s.style)}${s.style.dim(statsSummary(data.items))}\n` };
}

async function groups(s: Session): Promise<Look> {
  const data = await s.api.get<ListOf<GroupStats>>('/stats/groups');
  return { data, text: data.items.length === 0 ? 'no groups\n' : groupStatsTable(data.items, s.style) };
}

async function uplinks(s: Session, { host }: StatsOptions): Promise<Look> {
  const data = await s.api.get<ListOf<UplinkStats>>('/stats/uplinks', { host });
  return { data, text: data.items.length === 0 ? 'no uplinks\n' : uplinkStatsTable(data.items, s.style) };
}

async function rules(s: Session, { group }: StatsOptions): Promise<Look> {
  const data = await s.api.get<ListOf<GroupStats>>('/stats/groups', { group });
  const some = data.items.some(({ ruleHits }) => Object.keys(ruleHits).length > 0);
  return { data, text: some ? ruleHitsTable(data.items, s.style) : 'no rules, or none counted yet\n' };
}

async function reset(s: Session, command: Command): Promise<void> {
  const { reason } = command.opts<{ reason: string }>();
  finishWrite(s, await s.api.post<WriteResult>(`${portPath(command)}/reset-counters`, { reason }, {}));
}

async function history(s: Session, command: Command): Promise<void> {
  const data = await s.api.get<PortHistory>(`${portPath(command)}/history`);
  s.show(data, () => historyTable(data, s.style, s.io.now()));
}

const portPath = (command: Command): string =>
  `/ports/${encodeURIComponent(command.processedArgs[0] as string)}`;
