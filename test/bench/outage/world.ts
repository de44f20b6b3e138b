import { until } from '../../../deploy/quickstart/api.js';
import { HOSTS } from '../../../deploy/quickstart/simulation.js';
import { type BenchCluster } from '../support/cluster.js';
import { dropping, manifest } from '../support/manifest.js';
import { listening, pause, untilRealised } from '../support/until.js';

export const MANAGERS = ['switch-manager-1', 'switch-manager-2'] as const;

/** Until everybody has heard of everybody again, and what the last fault left to do is done. */
const CALM_MS = 2_500;

/** ms. `startMs`: what the start of the processes themselves took, before they were back. */
export interface Outage {
  readonly next: number;
  readonly startMs: number;
}

/** A cluster of processes and the faults that it is given; between two of them it is whole again. */
export class OutageWorld {
  private changes = 0;

  /** `health`: the ports of the managers' health, in their order. */
  constructor(
    private readonly it: BenchCluster,
    private readonly health: readonly number[],
  ) {}

  async begin(): Promise<void> {
    const over = { name: 'prod', hosts: HOSTS, device: 'eth1' };
    const groups = [{ name: 'web', switch: 'prod', ports: 8, policy: dropping(0) }];
    await this.it.api.apply(manifest({ hosts: HOSTS, switch: over, groups }), 0);
    await until('the guests', async () => (await this.it.api.status()).counts.connected === HOSTS.length);
    // Code that has run before is quicker: what is measured is the fault.
    for (let i = 0; i < 50; i++) await this.change();
    await this.calm();
  }

  /** Both from the request to the change realised. `headStart`: of the change under way, before the signal. */
  async leaderGone(
    signal: NodeJS.Signals,
    headStart: number,
  ): Promise<{ readonly next: number; readonly underWay: number }> {
    const { children } = this.it.cluster;
    const leader = await this.leader();
    const underWay = this.change();
    await pause(headStart);
    children.signal(leader, signal);
    const next = this.change();
    const took = { next: await next, underWay: await underWay };
    await until('it to be gone', () => Promise.resolve(children.pidOf(leader) === undefined));
    await this.it.cluster.startManager(MANAGERS.findIndex((name) => name === leader) + 1);
    await this.calm();
    return took;
  }

  /** From when the server listens again. */
  async serverGone(ms: number): Promise<Outage> {
    await this.it.cluster.children.kill('nats-server');
    await pause(ms);
    const began = performance.now();
    await this.it.cluster.startNats();
    await listening(this.it.cluster.options.ports.nats);
    const startMs = performance.now() - began;
    const next = await this.change();
    await this.calm();
    return { next, startMs };
  }

  /** From when the first of them answers questions about its health: it has not looked for the lease before. */
  async managersGone(ms: number): Promise<Outage> {
    const { cluster } = this.it;
    await Promise.all(MANAGERS.map((name) => cluster.children.kill(name)));
    await pause(ms);
    const began = performance.now();
    await Promise.all(MANAGERS.map((_, i) => cluster.startManager(i + 1)));
    await Promise.race(this.health.map(listening));
    const startMs = performance.now() - began;
    const next = await this.change();
    await this.calm();
    return { next, startMs };
  }

  /** What a client hears that waits so long for a change which concerns a host that is dead. */
  async hostGone(waitMs: number): Promise<{ readonly ms: number; readonly named: string }> {
    await this.it.cluster.children.kill(`host-agent-${HOSTS[0]}`);
    const began = performance.now();
    const { realised } = await this.it.api.apply(this.nextChange(), waitMs / 1000);
    return { ms: performance.now() - began, named: (realised?.waiting ?? []).map((w) => w.host).join(', ') };
  }

  private async leader(): Promise<string> {
    return until('a leader', async () => {
      const { leader } = await this.it.api.status();
      return leader === null ? null : `switch-${leader}`;
    });
  }

  private change(): Promise<number> {
    const body = this.nextChange();
    return untilRealised(this.it.cluster.api, `change-${this.changes}`, body, HOSTS.length);
  }

  private nextChange(): string {
    this.changes += 1;
    return manifest({
      groups: [{ name: 'web', switch: 'prod', ports: 8, policy: dropping(this.changes % 1000) }],
    });
  }

  private async calm(): Promise<void> {
    for (const port of this.health)
      await until('both managers to be ready', async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/health/ready`);
        return ((await answer.json()) as { readonly ok: boolean }).ok;
      });
    await this.leader();
    await pause(CALM_MS);
  }
}
