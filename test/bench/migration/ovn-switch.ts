import { type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { type Lab, until } from '../../lab/net.js';
import { OvnCentral } from '../ovn/central.js';
import { makeBridge, startController, stopController } from '../ovn/controller.js';
import { FAR, HOSTS } from './guests.js';
import { underlay } from './underlay.js';

const SWITCH = 'prod';
const READY_MS = 60_000;

interface OvnPort {
  readonly ifaceId: string;
  readonly mac: string;
  readonly ip: string;
}

/** Runs `work` with OVN on the hosts of a lab, and tunnels between them. */
export async function withOvn<T>(lab: Lab, work: (ovn: OvnSwitch) => Promise<T>): Promise<T> {
  const central = await OvnCentral.start(join(lab.workdir, 'ovn'));
  const controllers: ChildProcess[] = [];
  try {
    for (const [number, name] of [...HOSTS, FAR].entries()) {
      await underlay(lab.host(name), number);
      await makeBridge(lab.host(name));
      controllers.push(await startController(lab.host(name), number, central.southbound));
    }
    return await work(new OvnSwitch(central));
  } finally {
    await Promise.all(controllers.map(stopController));
    await central.stop();
  }
}

/** The one logical switch of a lab. */
export class OvnSwitch {
  #ports = 0;

  constructor(private readonly central: OvnCentral) {}

  /** Resolves when those that are plugged in have their ports. */
  async add(ports: readonly OvnPort[]): Promise<void> {
    this.#ports = ports.length;
    await this.central.all([
      ['ls-add', SWITCH],
      ...ports.flatMap(({ ifaceId, mac, ip }) => [
        ['lsp-add', SWITCH, ifaceId],
        ['lsp-set-addresses', ifaceId, `${mac} ${ip}`],
      ]),
    ]);
    await this.up();
  }

  /** Resolves when every port is somewhere. */
  async up(): Promise<void> {
    const words = ['--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'up=true'];
    const all = async () =>
      (await this.central.nbctl(...words)).split('\n').filter(Boolean).length === this.#ports;
    await until('OVN ports to be up', async () => ((await all()) ? true : undefined), READY_MS);
    await this.central.confirmed([['sync']]);
  }

  /** Sets the options of a port, and nothing else. */
  async request(ifaceId: string, ...options: readonly string[]): Promise<void> {
    await this.central.confirmed([['lsp-set-options', ifaceId, ...options]]);
  }
}

/** What an operator's system asks for before a guest moves: OVN's best. */
export const bothHosts = (...hosts: readonly string[]): readonly string[] => [
  `requested-chassis=${hosts.join(',')}`,
  'activation-strategy=rarp',
];
