import { type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { type Lab, type Plug, until } from '../../lab/net.js';
import { OvnCentral } from '../ovn/central.js';
import { BRIDGE, makeBridge, startController, stopController } from '../ovn/controller.js';
import { FAR, guestsOf, HOSTS, other } from './guests.js';
import { pause } from '../support/until.js';
import { type Guests, type Way } from './trial.js';
import { underlay } from './underlay.js';

const SWITCH = 'prod';
/** Memory is copied for so long while the destination is plugged already, ms. */
const COPYING_MS = 1_000;
const READY_MS = 60_000;

/** Runs `work` with OVN on the hosts of a lab, tunnels between them, and a guest that can move. */
export async function withOvnRig<T>(lab: Lab, work: (rig: OvnRig) => Promise<T>): Promise<T> {
  const central = await OvnCentral.start(join(lab.workdir, 'ovn'));
  const controllers: ChildProcess[] = [];
  try {
    for (const [number, name] of [...HOSTS, FAR].entries()) {
      await underlay(lab.host(name), number);
      await makeBridge(lab.host(name));
      controllers.push(await startController(lab.host(name), number, central.southbound));
    }
    const guests = await guestsOf(lab, { bridge: BRIDGE });
    const ports = Object.values(guests).map(({ options }) => options);
    await central.all([
      ['ls-add', SWITCH],
      ...ports.flatMap(({ ifaceId = '', mac, ip }) => [
        ['lsp-add', SWITCH, ifaceId],
        ['lsp-set-addresses', ifaceId, `${mac} ${ip}`],
      ]),
    ]);
    const rig = new OvnRig(central, guests);
    await rig.up();
    return await work(rig);
  } finally {
    await Promise.all(controllers.map(stopController));
    await central.stop();
  }
}

/** A guest on OVN's switches, and the ways in which it can be moved there. */
export class OvnRig {
  readonly name = 'OVN';

  constructor(
    private readonly central: OvnCentral,
    readonly guests: Guests,
  ) {}

  get ways(): readonly Way[] {
    return [this.#unplugged(), this.#swapped(), this.#early(), this.#requested()];
  }

  /** Resolves when both guests have their ports. */
  async up(): Promise<void> {
    const words = ['--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'up=true'];
    const both = async () => (await this.central.nbctl(...words)).split('\n').filter(Boolean).length === 2;
    await until('OVN ports to be up', async () => ((await both()) ? true : undefined), READY_MS);
    await this.central.confirmed([['sync']]);
  }

  #unplugged(): Way {
    return this.#way('OVN, unplugged then plugged', {
      prepare: () => Promise.resolve(),
      swap: async (old, plug) => {
        await disconnect(old);
        await this.#moving.connect(plug);
      },
    });
  }

  #swapped(): Way {
    const { ifaceId = '' } = this.#moving.options;
    return this.#way('OVN, plugged and swapped', {
      prepare: (plug) => this.#moving.connect(plug, {}),
      swap: async (old, plug) => {
        await old.host.vsctl('remove', 'Interface', old.outside, 'external_ids', 'iface-id');
        await plug.host.vsctl('set', 'Interface', plug.outside, `external_ids:iface-id=${ifaceId}`);
      },
    });
  }

  /** Both hosts' controllers take the port for theirs. */
  #early(): Way {
    return this.#way('OVN, plugged early', {
      prepare: async (plug) => {
        await this.#moving.connect(plug);
        await pause(COPYING_MS);
      },
    });
  }

  #requested(): Way {
    return this.#way('OVN, both hosts requested, RARP', {
      prepare: async (plug, old) => {
        await this.#request(
          `requested-chassis=${old.host.name},${plug.host.name}`,
          'activation-strategy=rarp',
        );
        await this.#moving.connect(plug);
        await pause(COPYING_MS);
      },
      finish: (plug) => this.#request(`requested-chassis=${plug.host.name}`),
      end: () => this.#request(),
    });
  }

  #way(
    name: string,
    how: {
      prepare(plug: Plug, old: Plug): Promise<void>;
      /** At the very moment. */
      swap?(old: Plug, plug: Plug): Promise<void>;
      finish?(plug: Plug): Promise<void>;
      end?(): Promise<void>;
    },
  ): Way {
    const moving = this.#moving;
    let [old, plug] = [undefined as unknown as Plug, undefined as unknown as Plug];
    return {
      name,
      prepare: async () => {
        plug = await moving.vnicAt(other(moving));
        old = moving.pluggedAt[0]!;
        await how.prepare(plug, old);
      },
      switch: async () => {
        await how.swap?.(old, plug);
        await moving.runOn(plug.inside, 1);
      },
      finish: async () => {
        await how.finish?.(plug);
        await moving.unplug(old);
        await how.end?.();
        await this.up();
      },
    };
  }

  get #moving(): Guests['moving'] {
    return this.guests.moving;
  }

  async #request(...options: readonly string[]): Promise<void> {
    await this.central.confirmed([['lsp-set-options', this.#moving.options.ifaceId ?? '', ...options]]);
  }
}

const disconnect = ({ host, bridge, outside }: Plug): Promise<string> =>
  host.vsctl('del-port', bridge, outside);
