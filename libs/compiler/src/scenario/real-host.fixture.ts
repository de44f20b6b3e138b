import { diff, isLearned, order } from '#openflow';
import { OvsDriver } from '#ovs';
import { until, type Lab, type LabHost } from '../../../../test/lab/net.js';
import { compile } from '../compile.js';
import { desiredOf, factsOf, type HostSpec } from '../documents.fixture.js';
import { decodeNotice, type Notice } from '../notice.js';
import { type Compiled, type LocalFacts } from '../types.js';

export const BRIDGE = 'pt-lan';

export async function realHost(lab: Lab, name: string): Promise<RealHost> {
  const at = lab.host(name);
  const host = new RealHost(name, at, new OvsDriver({ rundir: at.rundir, datapathType: 'netdev' }));
  await host.driver.start();
  return host;
}

/** A host with a real switch: documents in, frames through. */
export class RealHost {
  compiled!: Compiled;
  readonly notices: Notice[] = [];

  constructor(
    readonly name: string,
    private readonly at: LabHost,
    readonly driver: OvsDriver,
  ) {
    driver.watch((event) => {
      if (event.kind !== 'packet-in') return;
      const notice = decodeNotice(event.userdata);
      if (notice.ok) this.notices.push(notice.value);
    });
  }

  /** Makes the switch what the documents say; a second reading finds nothing left to do. */
  async become(spec: HostSpec, local: Partial<LocalFacts> = {}): Promise<void> {
    const desired = desiredOf({ host: this.name, ...spec });
    await this.heard();
    for (let turn = 0; turn < 4; turn += 1) {
      const interfaces = await this.driver.interfaces();
      this.compiled = compile(desired, { ...factsOf(desired), ...local, interfaces });
      const steps = order(diff(this.compiled.state, await this.driver.read()), {
        effective: 'always',
        purge: [],
      });
      if (steps.length === 0) return;
      for (const step of steps) await this.driver.apply(step);
      await this.driver.apply({ kind: 'purge', bridge: BRIDGE });
    }
    throw new Error('the switch does not become what is wanted');
  }

  /** What was plugged stands in the switch's database; the driver hears of it a moment later. */
  private async heard(): Promise<void> {
    const plugged = (await this.at.vsctl('--bare', '--columns=name', 'list', 'Interface')).split(/\s+/);
    await until('the driver to hear of all interfaces', async () => {
      const known = await this.driver.interfaces();
      const numbered = new Set(known.flatMap((i) => ((i.ofport ?? 0) > 0 ? [i.name] : [])));
      return plugged.every((name) => name === '' || numbered.has(name)) ? true : undefined;
    });
  }

  /** Packets and octets that a port's count meters counted, by class. */
  async counts(n: number, of: 'packetsIn' | 'bytesIn' = 'packetsIn'): Promise<[number[], number[]]> {
    const binding = this.compiled.bindings.find((b) => b.port === `p${n}`);
    if (binding === undefined) throw new Error(`p${n} has no binding`);
    const read = async ({ unicast, multicast, broadcast }: typeof binding.meters.in) =>
      (await this.driver.meterStats(BRIDGE, [unicast, multicast, broadcast])).map((s) => Number(s[of]));
    return [await read(binding.meters.in), await read(binding.meters.out)];
  }

  /** Frames that a port's policy dropped of what it sent, and of what there was for it. */
  async dropped(n: number): Promise<[number, number]> {
    const binding = this.compiled.bindings.find((b) => b.port === `p${n}`);
    if (binding === undefined) throw new Error(`p${n} has no binding`);
    const { passing } = binding;
    const [sent, got] = (await this.counts(n)).map((c) => c.reduce((sum, k) => sum + k, 0));
    const read = await this.driver.meterStats(BRIDGE, [passing.in, passing.out]);
    const at = (id: number) => Number(read.find((s) => s.id === id)?.packetsIn);
    return [(sent ?? 0) - at(passing.in), at(passing.out) - (got ?? 0)];
  }

  async learned(): Promise<number> {
    const { bridges } = await this.driver.read();
    return bridges.flatMap((b) => b.flows).filter(({ flow }) => isLearned(flow.cookie)).length;
  }
}
