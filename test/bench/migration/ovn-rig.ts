import { type Lab, type Plug } from '../../lab/net.js';
import { BRIDGE } from '../ovn/controller.js';
import { guestsOf, other } from './guests.js';
import { bothHosts, type OvnSwitch, withOvn } from './ovn-switch.js';
import { pause } from '../support/until.js';
import { type Guests, type Way } from './trial.js';

/** Memory is copied for so long while the destination is plugged already, ms. */
const COPYING_MS = 1_000;

/** Runs `work` with OVN on the hosts of a lab, and a guest that can move. */
export const withOvnRig = <T>(lab: Lab, work: (rig: OvnRig) => Promise<T>): Promise<T> =>
  withOvn(lab, async (ovn) => {
    const guests = await guestsOf(lab, { bridge: BRIDGE });
    await ovn.add(
      Object.values(guests).map(({ options: { ifaceId = '', mac, ip } }) => ({ ifaceId, mac, ip })),
    );
    return work(new OvnRig(ovn, guests));
  });

/** A guest on OVN's switches, and the ways in which it can be moved there. */
export class OvnRig {
  readonly name = 'OVN';

  constructor(
    private readonly ovn: OvnSwitch,
    readonly guests: Guests,
  ) {}

  get ways(): readonly Way[] {
    return [this.#unplugged(), this.#swapped(), this.#early(), this.#requested()];
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
        await this.#request(...bothHosts(old.host.name, plug.host.name));
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
        await this.ovn.up();
      },
    };
  }

  get #moving(): Guests['moving'] {
    return this.guests.moving;
  }

  async #request(...options: readonly string[]): Promise<void> {
    await this.ovn.request(this.#moving.options.ifaceId ?? '', ...options);
  }
}

const disconnect = ({ host, bridge, outside }: Plug): Promise<string> =>
  host.vsctl('del-port', bridge, outside);
