import {
  unwrap,
  type Epoch,
  type HostName,
  type Lineage,
  type PortId,
  type Problem,
  type Revision,
} from '#kernel';
import { decide } from './decider/decide.js';
import { evolve } from './decider/evolve.js';
import { ABILITIES } from './model/abilities.js';
import { type Command, type CommandContext, type Fact } from './model/commands.js';
import { type DomainEvent } from './model/events.js';
import { type Resource } from './model/resources.js';
import { type RawCounters, type State } from './model/state.js';
import { initialState } from './state/initial.js';
import { validateResource } from './manifest/validate.js';

/** A little world for specs: commits commands one after the other, as the sequencer would. */
export class World {
  state: State = initialState;
  readonly log: DomainEvent[] = [];
  now = 1_000_000;
  /** Hosts that the leader does not hear of. */
  suspects: readonly HostName[] = [];
  /** Of all agents. */
  abilities: readonly string[] = ABILITIES;
  private readonly seqs = new Map<string, number>();

  get ctx(): CommandContext {
    return { now: this.now, actor: 'tester' };
  }

  /** The events, or the problem thrown. */
  do(command: Command): readonly DomainEvent[] {
    const events = unwrap(decide(this.state, command, this.ctx));
    this.commit(events);
    return events;
  }

  commit(events: readonly DomainEvent[]): void {
    if (events.length === 0) return;
    const revision = (this.state.revision + 1) as Revision;
    const lineage = '00000000-0000-4000-8000-000000000000' as Lineage;
    for (const event of events) this.state = evolve(this.state, event, { revision, lineage, time: this.now });
    this.log.push(...events);
  }

  /** The problem; throws when the command was accepted. */
  refused(command: Command): Problem {
    const result = decide(this.state, command, this.ctx);
    if (result.ok) throw new Error(`accepted: ${JSON.stringify(result.value)}`);
    return result.error;
  }

  apply(...resources: unknown[]): readonly DomainEvent[] {
    return this.do(applying(...resources));
  }

  /** Ingests facts of a host with the next numbers. */
  facts(host: string, ...facts: Fact[]): readonly DomainEvent[] {
    const numbered = facts.map((fact) => ({ seq: this.nextSeq(host), at: this.now, fact }));
    const { suspects } = this;
    const from = { host: host as HostName, boot: 'boot-1' };
    return this.do({ type: 'IngestFacts', ...from, abilities: this.abilities, facts: numbered, suspects });
  }

  private nextSeq(host: string): number {
    const seq = (this.seqs.get(host) ?? 0) + 1;
    this.seqs.set(host, seq);
    return seq;
  }
}

/** Resources by their outside form, defaults filled in; throws on what validation refuses. */
export function applying(...resources: unknown[]): Extract<Command, { type: 'Apply' }> {
  return { type: 'Apply', resources: resources.map((r): Resource => unwrap(validateResource(r))) };
}

export const host = (name: string, spec: object = {}) => ({ kind: 'Host', name, spec });
export const dvs = (name: string, hosts: readonly string[], spec: object = {}) => ({
  kind: 'DistributedSwitch',
  name,
  spec: {
    uplinks: ['uplink1', 'uplink2'],
    members: Object.fromEntries(hosts.map((h) => [h, { uplink1: 'eth1' }])),
    ...spec,
  },
});
export const group = (name: string, spec: object = {}) => ({
  kind: 'PortGroup',
  name,
  spec: { switch: 'lan', ports: 2, ...spec },
});

/** Three hosts, one distributed switch `lan`, one static group `web` of two ports. */
export function threeHosts(groupSpec: object = {}): World {
  const world = new World();
  const hosts = ['h1', 'h2', 'h3'];
  world.apply(...hosts.map((h) => host(h)), dvs('lan', hosts), group('web', groupSpec));
  return world;
}

export const MAC_A = '02:00:00:00:00:01';
export const MAC_B = '02:00:00:00:00:02';

export function plug(
  ifaceId: string,
  mac = MAC_A,
  more: object = {},
): Extract<Fact, { type: 'InterfacePlugged' }> {
  const iface = { ifaceId, mac, profile: 'web', owner: 'vm1', kind: 'vm' as const, switch: 'lan', ...more };
  return { type: 'InterfacePlugged', interface: iface };
}

/** What a host says last of a binding: its counters, here nothing. */
export function handedIn(port: string, epoch: number): Fact[] {
  const segment = {
    port: port as PortId,
    epoch: epoch as Epoch,
    incarnation: `${port}@${epoch}`,
    raw: raw(0),
  };
  return [
    { type: 'SegmentOpened', ...segment },
    { type: 'SegmentClosed', ...segment },
  ];
}

/** Raw counters with `n` unicast packets in, 100 bytes each. */
export function raw(n: number): RawCounters {
  const none = { packets: 0, bytes: 0 };
  return {
    in: { unicast: { packets: n, bytes: n * 100 }, multicast: none, broadcast: none },
    out: { unicast: none, multicast: none, broadcast: none },
  };
}

export const types = (events: readonly DomainEvent[]): string[] => events.map((e) => e.type);
