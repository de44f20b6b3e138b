import { type Command } from 'commander';
import { type PortDescription, type WriteResult } from '#contracts/http';
import { seconds, waitSeconds } from '../arguments.js';
import { CliError, EXIT } from '../exit.js';
import { type Session } from '../session.js';
import { finishWrite } from './apply.js';
import { assignment, fieldName } from './override.js';
import { type Register } from './register.js';
import { list } from './resources.js';

interface Waits {
  readonly wait?: number | true;
}

interface ConnectOptions extends Waits {
  readonly group: string;
  readonly port?: string;
  readonly iface: string;
  readonly mac: string;
  readonly owner: string;
  readonly kind: string;
}

const WAIT = ['--wait [seconds]', 'return when every host concerned carries it out', seconds] as const;

export const registerPort: Register = (program, action) => {
  const port = program.command('port').description('connect, disconnect and override single ports');
  port
    .command('list')
    .description('the ports, as get ports')
    .option('--group <group>')
    .option('--host <host>')
    .option('--owner <owner>')
    .action(action((s, c) => list(s, 'ports', c.opts())));
  port
    .command('connect')
    .description('give a VM, container or kernel interface its port in a group')
    .requiredOption('--group <group>', 'port group')
    .requiredOption('--iface <id>', 'the iface-id that its host will see')
    .requiredOption('--mac <mac>')
    .requiredOption('--owner <name>', 'the VM or container')
    .option('--kind <kind>', 'vm, container or kernel', 'vm')
    .option('--port <id>', 'this very port, instead of a free one')
    .option(...WAIT)
    .addHelpText(
      'after',
      '\nExample:\n  portolan port connect --group web --iface vm-a-eth0 --mac 02:00:00:00:00:0a --owner vm-a',
    )
    .action(action(connect));
  port
    .command('disconnect')
    .description('take the connectee off a port; the port keeps its counters')
    .argument('<port>')
    .option(...WAIT)
    .action(action(disconnect));
  port
    .command('move')
    .description('put a connected port into another group of its switch, live; its counters go on')
    .argument('<port>')
    .argument('<group>')
    .option(...WAIT)
    .addHelpText('after', '\nExample:\n  portolan port move p1 db --wait')
    .action(action(move));
  port
    .command('set')
    .description('override policy fields on one port, where its group allows it')
    .argument('<port>')
    .argument('[field=value...]', 'vlan=20, blocked=yes, shapingOut=10M/20M/256k, …')
    .option('--unset <field...>', 'inherit these again')
    .option('--clear', 'drop all overrides first')
    .option(...WAIT)
    .addHelpText(
      'after',
      '\nExamples:\n  portolan port set p1 blocked=yes --wait\n  portolan port set p1 vlan=trunk:100-199 --unset blocked',
    )
    .action(action(set));
};

async function connect(s: Session, command: Command): Promise<void> {
  const o = command.opts<ConnectOptions>();
  const connectee = { kind: o.kind, ifaceId: o.iface, mac: o.mac, owner: o.owner };
  const body = { group: o.group, ...(o.port === undefined ? {} : { port: o.port }), connectee };
  finishWrite(s, await s.api.post<WriteResult>('/ports', body, { wait: waitSeconds(o.wait) }));
}

async function disconnect(s: Session, command: Command): Promise<void> {
  const path = `/ports/${encodeURIComponent(command.processedArgs[0] as string)}/disconnect`;
  const wait = waitSeconds(command.opts<Waits>().wait);
  finishWrite(s, await s.api.post<WriteResult>(path, {}, { wait }));
}

async function move(s: Session, command: Command): Promise<void> {
  const [id, group] = command.processedArgs as [string, string];
  const wait = waitSeconds(command.opts<Waits>().wait);
  finishWrite(s, await s.api.post<WriteResult>(`/ports/${encodeURIComponent(id)}/move`, { group }, { wait }));
}

/** Reads, changes, writes back with the version read: a change in between is a conflict, never lost. */
async function set(s: Session, command: Command): Promise<void> {
  const [id, words] = command.processedArgs as [string, string[]];
  const o = command.opts<Waits & { unset?: string[]; clear?: boolean }>();
  const assigned = words.map(assignment);
  const unset = (o.unset ?? []).map(fieldName);
  if (assigned.length === 0 && unset.length === 0 && o.clear !== true) {
    throw new CliError(EXIT.usage, 'nothing to set: give field=value, --unset or --clear');
  }
  const path = `/ports/${encodeURIComponent(id)}`;
  const { port } = await s.api.get<PortDescription>(path);
  const override: Record<string, unknown> = o.clear === true ? {} : { ...port.spec.override };
  for (const field of unset) delete override[field];
  for (const [field, value] of assigned) override[field] = value;
  const body = { override, version: port.metadata.version };
  finishWrite(s, await s.api.put<WriteResult>(`${path}/override`, body, { wait: waitSeconds(o.wait) }));
}
