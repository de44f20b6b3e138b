import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { TABLES } from '#compiler';
import { until } from '../../lab/exec.js';
import { type LabHost } from '../../lab/host.js';
import { monotonic } from '../support/traffic.js';
import { pause } from '../support/until.js';
import { flowsBack, flowsOn, ports, works, type Rig } from './rig.js';
import { type Seen, type Stream } from './stream.js';

/** What was read and written by then is history. */
const DOWN_MS = 300;

/** The process that gives the switch its flows is killed and started anew. */
export const agentGone = (rig: Rig, stream: Stream, n: number): Promise<Seen> =>
  stream.during(async () => {
    await rig.restart();
    await works(rig, n);
  });

export interface SwitchGone {
  /** From when its socket was there again, ms. */
  readonly trafficMs: number;
  readonly flowsMs: number;
  /** From its start to that socket, ms. */
  readonly startMs: number;
}

/** The switch is killed and started anew. */
export async function switchGone(rig: Rig, stream: Stream, n: number): Promise<SwitchGone> {
  const learned = rig.name === 'ours' ? await flowsOn(rig, TABLES.ACTIVITY) : 0;
  const flows = (await flowsOn(rig)) - learned;
  let [killed, began, flowsAt] = [0, 0, 0];
  const socket = new Appearance(rig.host, `${rig.bridge}.mgmt`);
  const { times } = await stream.during(async () => {
    await rig.host.killVswitchd();
    killed = monotonic();
    await pause(DOWN_MS);
    began = monotonic();
    socket.expect();
    await rig.host.startVswitchd();
    flowsAt = await flowsBack(rig, flows);
    // Also where it waits for long until it asks the switch again.
    await works(rig, n);
  });
  const back = socket.at();
  const traffic = times.find((at) => at > killed + DOWN_MS / 2) ?? NaN;
  return { trafficMs: traffic - back, flowsMs: flowsAt - back, startMs: back - began };
}

export interface DatabaseGone {
  readonly lost: number;
  /** From when its socket was there again to the first frame: without its database the switch stands still. */
  readonly trafficMs: number;
  /** From that frame to a tag taken back that was set by hand meanwhile, ms. */
  readonly repairMs: number;
}

/** The database is killed and started anew. A tag is put right by ours alone. */
export async function databaseGone({ name, host }: Rig, stream: Stream, n: number): Promise<DatabaseGone> {
  const socket = new Appearance(host, 'db.sock');
  const { device } = ports.at(-1)!;
  const tag = async (): Promise<string> => (await host.vsctl('get', 'Port', device, 'tag')).trim();
  let repaired = 0;
  const { lost, times } = await stream.during(async () => {
    await host.killOvsdb();
    await pause(DOWN_MS);
    socket.expect();
    await host.startOvsdb();
    if (name === 'ours') await host.vsctl('--no-wait', 'set', 'Port', device, 'tag=7');
    // Answered when the switch has found the database again, and there is something for it to do.
    await host.vsctl('set', 'Interface', device, `external_ids:asked=${n}`);
    if (name === 'ours')
      repaired = await until('the tag', async () => ((await tag()) === '[]' ? monotonic() : undefined));
  });
  const back = socket.at();
  const first = times.find((at) => at > back) ?? NaN;
  return { lost, trafficMs: first - back, repairMs: repaired - first };
}

/** When a socket of a host's switch was made anew. */
class Appearance {
  #at = NaN;
  #close: () => void = () => undefined;

  constructor(
    private readonly host: LabHost,
    private readonly name: string,
  ) {}

  /** From now on. */
  expect(): void {
    const watcher = watch(this.host.rundir, (_, name) => {
      if (name === this.name && existsSync(join(this.host.rundir, name))) this.#at = monotonic();
    });
    this.#close = () => watcher.close();
  }

  at(): number {
    this.#close();
    if (Number.isNaN(this.#at)) throw new Error(`${this.name} was not seen`);
    return this.#at;
  }
}
