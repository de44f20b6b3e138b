import { messageOf, problem, ProblemError, unwrap, type Clock, type Problem } from '#kernel';
import {
  type Driver,
  type DriverEvent,
  type FlowStats,
  type MeterStats,
  type Observation,
  type PortStats,
  type ObservedInterface,
  type ObservedRows,
  type OvsdbChange,
  type Step,
  type Action,
  type TrackedConnection,
} from '#openflow';
import { parseConnections } from '../conntrack/dump.js';
import { applyBundle, applyMeters, flushConnections, sendFrames } from '../flow/changes.js';
import { OvsdbClient } from '../ovsdb/client.js';
import { WATCHED } from '../ovsdb/schema.js';
import { Unixctl } from '../unixctl/unixctl.js';
import { Bridges } from './bridges.js';
import { clockOf, resolveEndpoints, type DatapathType, type OvsDriverConfig } from './config.js';
import { ConfigWait } from './config-wait.js';
import { awaitEffective, CachedDecisions, methodFor } from './effective.js';
import { findBridge } from './names.js';
import { observeInterfaces } from './observe.js';
import { Ownership } from './ownership.js';
import { portDataTransaction } from './port-data.js';
import { describeRow, isBlind, readBridge, readFlows, readMeters, readPorts } from './read.js';
import { buildTransaction } from './transaction.js';

/** How long the switch may take to carry out a change of its database, and to open a new bridge's OpenFlow socket. */
const CONFIG_MS = 10_000;
/** What a fresh bridge needs at least; more columns do not matter to the data plane. */
const IRRELEVANT = new Set(['Open_vSwitch.next_cfg', 'Open_vSwitch.cur_cfg', 'Open_vSwitch.ovs_version']);

/** What says nothing of interfaces: told as `ovsdb` alone. */
const QUIET = new Set(
  ['controller', 'protocols', 'mirrors', 'mcast_snooping_enable', 'stp_enable', 'rstp_enable', 'netflow']
    .concat(['ipfix', 'sflow'])
    .map((column) => `Bridge.${column}`)
    .concat(
      ['tag', 'trunks', 'vlan_mode', 'qos', 'bond_mode', 'lacp', 'other_config'].map(
        (column) => `Port.${column}`,
      ),
    )
    .concat(
      ['ingress_policing_rate', 'ingress_policing_burst', 'options', 'lldp', 'other_config'].map(
        (c) => `Interface.${c}`,
      ),
    )
    .concat(['Controller.target', 'Mirror.name'])
    .concat(Object.keys(WATCHED.IPFIX).map((column) => `IPFIX.${column}`))
    .concat(Object.keys(WATCHED.sFlow).map((column) => `sFlow.${column}`))
    .concat(Object.keys(WATCHED.Flow_Sample_Collector_Set).map((c) => `Flow_Sample_Collector_Set.${c}`)),
);

/** The driver of a real Open vSwitch: its database, its bridges' OpenFlow services and its control socket. */
export class OvsDriver implements Driver {
  readonly kind = 'openvswitch';
  private readonly ovsdb: OvsdbClient;
  private readonly bridges: Bridges;
  private readonly ownership = new Ownership();
  private readonly unixctl: Unixctl;
  private readonly decisions: CachedDecisions;
  private readonly clock: Clock;
  private readonly configured: ConfigWait;
  private readonly listeners = new Set<(event: DriverEvent) => void>();
  private started: { resolve(): void; reject(cause: ProblemError): void } | undefined;

  /** Throws a ProblemError when an address of the switch is malformed. */
  constructor(private readonly config: OvsDriverConfig) {
    const endpoints = unwrap(resolveEndpoints(config));
    this.clock = clockOf(config);
    this.unixctl = new Unixctl(() => endpoints.unixctl(), this.clock);
    this.decisions = new CachedDecisions(this.unixctl, this.clock);
    this.bridges = new Bridges(endpoints, this.clock, (event) => this.emit(event), this.ownership);
    this.configured = new ConfigWait(this.clock);
    this.ovsdb = new OvsdbClient(
      () => endpoints.ovsdb,
      {
        up: () => this.databaseUp(),
        down: (reason) => this.emit({ kind: 'down', reason }),
        changed: (columns) => this.databaseChanged(columns),
      },
      { clock: this.clock },
    );
  }

  /** Resolves when the switch's database was read for the first time; its bridges tell by `up`. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.started = { resolve, reject };
      this.ovsdb.start();
    });
  }

  async read(): Promise<Observation> {
    const interfaces = await this.interfaces();
    const bridges = await Promise.all(
      this.bridges.names.map(async (name) =>
        readBridge(await this.bridges.session(name), this.ovsdb.cache, name, this.datapathType),
      ),
    );
    const problems = this.ovsdb.cache.problems();
    return { bridges, interfaces, ...(problems.length === 0 ? {} : { problems }) };
  }

  async rows(): Promise<ObservedRows> {
    const interfaces = await this.interfaces();
    return {
      interfaces,
      bridges: this.bridges.names.map((name) => describeRow(this.ovsdb.cache, name, this.datapathType)),
    };
  }

  interfaces(): Promise<readonly ObservedInterface[]> {
    if (!this.ovsdb.isUp) {
      return Promise.reject(
        new ProblemError(problem('unavailable', "no connection to the switch's database")),
      );
    }
    return Promise.resolve(observeInterfaces(this.ovsdb.cache));
  }

  /** What is wrong now with the rows of the switch's database; each is treated as absent. */
  problems(): readonly Problem[] {
    return this.ovsdb.cache.problems();
  }

  /** Version of the running switch, as in `3.1.0`. */
  version(): Promise<string> {
    return this.unixctl.version();
  }

  async apply(step: Step): Promise<void> {
    try {
      await this.carryOut(step);
    } catch (cause) {
      throw cause instanceof ProblemError ? cause : impossible(step, cause);
    }
  }

  async meterStats(bridge: string, ids: readonly number[]): Promise<readonly MeterStats[]> {
    return readMeters(await this.bridges.session(bridge), ids);
  }

  async flowStats(bridge: string, cookie: bigint, mask: bigint): Promise<readonly FlowStats[]> {
    return readFlows(await this.bridges.session(bridge), cookie, mask);
  }

  async portStats(bridge: string): Promise<readonly PortStats[]> {
    return readPorts(await this.bridges.session(bridge));
  }

  /** How fragments are matched: of all else there is a monitor. */
  async strayed(): Promise<boolean> {
    const blind = this.bridges.names.map(async (name) => isBlind(await this.bridges.session(name)));
    return (await Promise.all(blind)).includes(true);
  }

  async packetOut(
    bridge: string,
    to: number | readonly Action[],
    ...frames: readonly Uint8Array[]
  ): Promise<void> {
    await sendFrames(await this.bridges.session(bridge), bridge, to, frames);
  }

  /** OpenFlow can't ask for them. */
  async connections(zone: number): Promise<readonly TrackedConnection[]> {
    return parseConnections(await this.unixctl.call('dpctl/dump-conntrack', [this.datapath, `zone=${zone}`]));
  }

  async ignoreSequences(): Promise<void> {
    await this.unixctl.call('dpctl/ct-disable-tcp-seq-chk', [this.datapath]);
  }

  async setPortData(device: string, data: string | null): Promise<void> {
    const operations = portDataTransaction(this.ovsdb.cache, device, data, this.ownership.has);
    await this.ovsdb.transact(`the row of ${device}`, operations);
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): Promise<void> {
    this.listeners.clear();
    this.configured.close();
    this.bridges.close();
    this.ovsdb.close();
    this.unixctl.close();
    this.started?.reject(
      new ProblemError(problem('unavailable', 'the driver was closed before it connected')),
    );
    this.started = undefined;
    return Promise.resolve();
  }

  /** Of all bridges: they share one, by whose name its commands are told apart from those of others. */
  private get datapath(): string {
    return `${this.datapathType}@ovs-${this.datapathType}`;
  }

  private get datapathType(): DatapathType {
    return this.config.datapathType ?? 'system';
  }

  private async carryOut(step: Step): Promise<void> {
    switch (step.kind) {
      case 'ovsdb':
        return this.changeDatabase(step.changes);
      case 'meters':
        return applyMeters(await this.bridges.session(step.bridge), step.bridge, step.mods);
      case 'bundle':
        return applyBundle(await this.bridges.session(step.bridge), step.bridge, step.mods);
      case 'effective':
        return this.makeEffective(step.bridge);
      case 'flush':
        return flushConnections(await this.bridges.session(step.bridge), step.bridge, step.connections);
      case 'purge':
        await this.bridges.session(step.bridge);
        await this.unixctl.call('revalidator/purge');
    }
  }

  private async changeDatabase(changes: readonly OvsdbChange[]): Promise<void> {
    if (changes.length === 0) return;
    const { operations, configAt, added } = buildTransaction(
      changes,
      this.ovsdb.cache,
      this.datapathType,
      this.ownership.has,
    );
    const results = await this.ovsdb.transact('switch database', operations);
    for (const change of changes) if (change.op === 'set-bridge') await this.bridges.configure(change.bridge);
    if (configAt === undefined) return;
    const wanted = results[configAt]?.rows?.[0]?.['next_cfg'];
    if (typeof wanted === 'number') await this.configured.reached(wanted, CONFIG_MS);
    // The database tells a client its own changes before it answers, so the bridges are known by now.
    await Promise.all(added.map((bridge) => this.bridges.session(bridge, CONFIG_MS)));
  }

  private async makeEffective(bridge: string): Promise<void> {
    const session = await this.bridges.session(bridge);
    const { cache } = this.ovsdb;
    const datapathType = findBridge(cache, bridge)?.row.datapathType ?? '';
    const method = this.config.effective ?? (await methodFor(cache, datapathType, this.decisions.count));
    await awaitEffective(session, this.unixctl, this.clock, method);
  }

  private databaseUp(): void {
    this.databaseChanged(new Set(['Open_vSwitch.cur_cfg']));
    this.bridges.follow(this.ovsdb.cache);
    this.started?.resolve();
    this.started = undefined;
    this.emit({ kind: 'up' });
  }

  private databaseChanged(columns: ReadonlySet<string>): void {
    if (columns.has('Open_vSwitch.cur_cfg')) {
      for (const [, row] of this.ovsdb.cache.rows('Open_vSwitch')) this.configured.at(row.curCfg);
    }
    if ([...columns].every((column) => IRRELEVANT.has(column))) return;
    if ([...columns].some((column) => column.startsWith('Bridge.'))) this.bridges.follow(this.ovsdb.cache);
    this.emit({ kind: 'ovsdb', columns });
    if ([...columns].some((column) => !QUIET.has(column) && !IRRELEVANT.has(column)))
      this.emit({ kind: 'interfaces' });
  }

  private emit(event: DriverEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}

/** A step that OpenFlow can't express: a defect of whoever compiled it, told as a problem like every other. */
function impossible(step: Step, cause: unknown): ProblemError {
  const why = messageOf(cause);
  return new ProblemError(problem('internal', `${step.kind}: ${why}`), { cause });
}
