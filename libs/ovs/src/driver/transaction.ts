import { problem, ProblemError } from '#kernel';
import {
  BRIDGE_CONFIG,
  BRIDGE_PROTOCOLS,
  pluggedSettings,
  type BridgeExports,
  type BridgePort,
  type KeptSettings,
  type OwnDevice,
  type OvsdbChange,
} from '#openflow';
import { namedUuid, ovsdbMap, ovsdbSet, uuidRef } from '../ovsdb/atoms.js';
import { type RowCache } from '../ovsdb/cache.js';
import { type OvsdbOperation } from '../ovsdb/client.js';
import { type BridgeRow } from '../ovsdb/rows.js';
import { collectorRow, ipfixRow, sflowRow } from './exports.js';
import { checkMarks, checkName, replaceEntries } from './operations.js';
import { portColumns } from './settings.js';
import {
  findBridge,
  findPort,
  isMark,
  isOurs,
  isOwnPort,
  PLUGGED_KEY,
  SWITCH_KEY,
  type Found,
} from './names.js';

export interface Transaction {
  readonly operations: readonly OvsdbOperation[];
  /** Place of the result that holds `next_cfg`; absent when the switch needs to do nothing. */
  readonly configAt?: number;
  readonly added: readonly string[];
}

/**
 * One OVSDB transaction for all changes. What it relies on is asserted inside it (`wait`), so that somebody else's
 * write in between fails it rather than being overwritten. Throws a ProblemError for what can't be asked.
 */
export function buildTransaction(
  changes: readonly OvsdbChange[],
  cache: RowCache,
  datapathType: 'system' | 'netdev',
  owns: (uuid: string, row: BridgeRow) => boolean = (_, row) => isOurs(row),
): Transaction {
  const builder = new Builder(cache, datapathType, owns);
  for (const change of changes) builder.add(change);
  return builder.build();
}

class Builder {
  private readonly operations: OvsdbOperation[] = [];
  /** MTU of bridges that this very transaction adds. */
  private readonly added = new Map<string, number>();
  /** Names of their rows. */
  private readonly addedRows = new Map<string, string>();
  /** What it asks of bridges that stand. */
  private readonly mtus = new Map<string, number>();
  private readonly removed = new Set<string>();
  private reconfigures = false;
  private names = 0;

  constructor(
    private readonly cache: RowCache,
    private readonly datapathType: 'system' | 'netdev',
    private readonly owns: (uuid: string, row: BridgeRow) => boolean,
  ) {}

  add(change: OvsdbChange): void {
    if (change.op !== 'mark-port') this.reconfigures = true;
    switch (change.op) {
      case 'add-bridge':
        return this.addBridge(change.bridge, change.switch, change.mtu);
      case 'set-bridge':
        return this.setBridge(change.bridge, change.switch, change.mtu);
      case 'set-exports':
        return this.setExports(change.bridge, change.exports);
      case 'remove-bridge':
        return this.removeBridge(change.bridge);
      case 'add-port':
        return this.addPort(change.bridge, change.port);
      case 'mark-port':
        return this.markPort(change.bridge, change.port, change.marks);
      case 'set-port':
        return this.setPort(change.bridge, change.port, change.settings, change.device);
      case 'remove-port':
        return this.removePort(change.bridge, change.port);
    }
  }

  build(): Transaction {
    const added = [...this.added.keys()];
    if (!this.reconfigures) return { operations: this.operations, added };
    const configured = [
      { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] },
      { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
    ];
    const operations = [...this.operations, ...configured];
    return { operations, configAt: operations.length - 1, added };
  }

  private addBridge(bridge: string, switchName: string, mtu: number): void {
    checkName('bridge', bridge);
    this.assertAbsent('Bridge', bridge);
    const device = this.insert('Interface', { name: bridge, type: 'internal', mtu_request: mtu });
    const local = this.insertPort(bridge, [device], {});
    const rowName = this.newName();
    this.push({
      op: 'insert',
      table: 'Bridge',
      'uuid-name': rowName,
      row: {
        name: bridge,
        datapath_type: this.datapathType,
        fail_mode: 'secure',
        protocols: ovsdbSet(BRIDGE_PROTOCOLS),
        external_ids: ovsdbMap({ [SWITCH_KEY]: switchName }),
        other_config: ovsdbMap(BRIDGE_CONFIG),
        ports: local,
      },
    });
    this.mutate('Open_vSwitch', [], [['bridges', 'insert', ovsdbSet([namedUuid(rowName)])]]);
    this.added.set(bridge, mtu);
    this.addedRows.set(bridge, rowName);
    this.removed.delete(bridge);
  }

  private setBridge(bridge: string, switchName: string, mtu: number): void {
    const found = this.ours(bridge);
    if (!found) return;
    const where = [['_uuid', '==', uuidRef(found.uuid)]];
    const nothing = ovsdbSet([]);
    this.mtus.set(bridge, mtu);
    this.push({
      op: 'update',
      table: 'Bridge',
      where,
      row: {
        datapath_type: this.datapathType,
        fail_mode: 'secure',
        protocols: ovsdbSet(BRIDGE_PROTOCOLS),
        controller: nothing,
        mirrors: nothing,
        netflow: nothing,
        mcast_snooping_enable: false,
        stp_enable: false,
        rstp_enable: false,
      },
    });
    this.mutate('Bridge', where, [
      ...replaceEntries('external_ids', { [SWITCH_KEY]: switchName }, []),
      ...replaceEntries('other_config', BRIDGE_CONFIG, []),
    ]);
    for (const uuid of this.ownInterfaces(found.row)) {
      this.push({
        op: 'update',
        table: 'Interface',
        where: [['_uuid', '==', uuidRef(uuid)]],
        row: { mtu_request: mtu },
      });
    }
  }

  /** Who is told of samples, all of it: rows that nobody names any more go by themselves, but for collector sets. */
  private setExports(bridge: string, exports: BridgeExports): void {
    const found = this.ours(bridge);
    const self = found ? uuidRef(found.uuid) : namedUuid(this.addedRows.get(bridge) ?? '');
    const row = {
      ipfix: exports.ipfix === undefined ? ovsdbSet([]) : this.insert('IPFIX', ipfixRow(exports.ipfix)),
      sflow: exports.sflow === undefined ? ovsdbSet([]) : this.insert('sFlow', sflowRow(exports.sflow)),
    };
    this.push({ op: 'update', table: 'Bridge', where: [['name', '==', bridge]], row });
    if (found) this.push(deleteCollectors(found.uuid));
    for (const set of exports.collectorSets ?? []) {
      const ipfix = this.insert('IPFIX', ipfixRow(set.ipfix));
      this.push({ op: 'insert', table: 'Flow_Sample_Collector_Set', row: collectorRow(set.id, self, ipfix) });
    }
  }

  private insert(table: string, row: Record<string, unknown>) {
    const name = this.newName();
    this.push({ op: 'insert', table, 'uuid-name': name, row });
    return namedUuid(name);
  }

  private removeBridge(bridge: string): void {
    const found = this.ours(bridge);
    if (found) {
      // Such a row holds on to the bridge's.
      this.push(deleteCollectors(found.uuid));
      this.mutate('Open_vSwitch', [], [['bridges', 'delete', ovsdbSet([uuidRef(found.uuid)])]]);
    }
    this.added.delete(bridge);
    this.removed.add(bridge);
  }

  private addPort(bridge: string, port: BridgePort): void {
    checkName('port.name', port.name);
    const found = this.ours(bridge);
    this.assertAbsent('Port', port.name);
    const mtu = found ? (this.mtus.get(bridge) ?? this.mtuOf(found.row)) : this.added.get(bridge);
    const row = {
      type: port.type,
      external_ids: ovsdbMap({ [PLUGGED_KEY]: 'agent' }),
      ...(port.options === undefined ? {} : { options: ovsdbMap(port.options) }),
      ...(mtu === undefined ? {} : { mtu_request: mtu }),
    };
    const members = port.bond?.members ?? [port.name];
    for (const name of members) checkName('port.bond', name);
    const interfaces = members.map((name) => this.insert('Interface', { ...row, name }));
    const settings = pluggedSettings(port) ?? {};
    const columns = { ...portColumns(settings), other_config: ovsdbMap(settings.otherConfig ?? {}) };
    const inserted = this.insertPort(port.name, interfaces, checkMarks(port.marks), columns);
    this.mutate('Bridge', [['name', '==', bridge]], [['ports', 'insert', ovsdbSet([inserted])]]);
  }

  private markPort(bridge: string, port: string, marks: Readonly<Record<string, string>>): void {
    const { uuid, row } = this.portOf(bridge, port);
    const stale = Object.keys(row.externalIds).filter((key) => isMark(key) && !Object.hasOwn(marks, key));
    const where = [['_uuid', '==', uuidRef(uuid)]];
    // Without this a port that went meanwhile would be "marked" by touching no row.
    this.push({
      op: 'wait',
      table: 'Port',
      where,
      columns: ['name'],
      until: '==',
      rows: [{ name: port }],
      timeout: 0,
    });
    this.mutate('Port', where, replaceEntries('external_ids', checkMarks(marks), stale));
  }

  private setPort(bridge: string, port: string, settings: KeptSettings, device?: OwnDevice): void {
    const { uuid, row } = this.portOf(bridge, port);
    const where = [['_uuid', '==', uuidRef(uuid)]];
    const { otherConfig = {}, deviceConfig = {} } = settings;
    this.push({ op: 'update', table: 'Port', where, row: portColumns(settings) });
    this.mutate('Port', where, replaceEntries('other_config', otherConfig, Object.keys(row.otherConfig)));
    const { ingressPolicingRate = 0, ingressPolicingBurst = 0 } = settings;
    const columns = {
      ingress_policing_rate: ingressPolicingRate,
      ingress_policing_burst: ingressPolicingBurst,
      ...(device === undefined ? {} : { type: device.type, options: ovsdbMap(device.options) }),
    };
    for (const id of row.interfaces) {
      const at = [['_uuid', '==', uuidRef(id)]];
      const stale = Object.keys(this.cache.get('Interface', id)?.otherConfig ?? {});
      this.push({ op: 'update', table: 'Interface', where: at, row: columns });
      this.mutate('Interface', at, [
        ...replaceEntries('other_config', deviceConfig, stale),
        ...(device === undefined ? [] : replaceEntries('external_ids', { [PLUGGED_KEY]: 'agent' }, [])),
      ]);
    }
  }

  private removePort(bridge: string, port: string): void {
    const { uuid } = this.portOf(bridge, port);
    this.mutate('Bridge', [['name', '==', bridge]], [['ports', 'delete', ovsdbSet([uuidRef(uuid)])]]);
  }

  private insertPort(
    name: string,
    interfaces: readonly (readonly ['named-uuid', string])[],
    marks: Readonly<Record<string, string>>,
    columns: Readonly<Record<string, unknown>> = {},
  ) {
    const port = { name, interfaces: ovsdbSet(interfaces), external_ids: ovsdbMap(marks), ...columns };
    return this.insert('Port', port);
  }

  /** The row of a bridge of ours; undefined when this transaction adds it. */
  private ours(bridge: string): Found<BridgeRow> | undefined {
    if (this.added.has(bridge)) return undefined;
    const found = this.removed.has(bridge) ? undefined : findBridge(this.cache, bridge);
    if (!found) throw new ProblemError(problem('not-found', `the switch has no bridge ${bridge}`));
    if (!this.owns(found.uuid, found.row)) {
      throw new ProblemError(
        problem('conflict', `bridge ${bridge} is somebody else's: it has no ${SWITCH_KEY}`),
      );
    }
    return found;
  }

  private portOf(bridge: string, port: string) {
    const found = this.ours(bridge);
    const known = found && findPort(this.cache, found.row, port);
    if (!known) throw new ProblemError(problem('not-found', `bridge ${bridge} has no port ${port}`));
    return known;
  }

  /** The local device and what the agent plugged: their MTU is ours to set; a hypervisor's is its own. */
  private ownInterfaces(bridge: BridgeRow): string[] {
    return bridge.ports.flatMap((uuid) => {
      const port = this.cache.get('Port', uuid);
      if (port === undefined) return [];
      // One of the two marks may be lost.
      const isMarked = (id: string) => this.cache.get('Interface', id)?.externalIds[PLUGGED_KEY] === 'agent';
      return isOwnPort(bridge, port) ? port.interfaces : port.interfaces.filter(isMarked);
    });
  }

  private mtuOf(bridge: BridgeRow): number | undefined {
    const local = this.ownInterfaces(bridge).map((uuid) => this.cache.get('Interface', uuid));
    return local.find((row) => row?.name === bridge.name)?.mtuRequest;
  }

  private assertAbsent(table: 'Bridge' | 'Port', name: string): void {
    const where = [['name', '==', name]];
    this.push({ op: 'wait', table, where, columns: ['name'], until: '==', rows: [], timeout: 0 });
  }

  private mutate(table: string, where: readonly unknown[], mutations: readonly unknown[]): void {
    this.push({ op: 'mutate', table, where, mutations });
  }

  private push(operation: OvsdbOperation): void {
    this.operations.push(operation);
  }

  private newName(): string {
    return `row${++this.names}`;
  }
}

const deleteCollectors = (bridge: string): OvsdbOperation => ({
  op: 'delete',
  table: 'Flow_Sample_Collector_Set',
  where: [['bridge', '==', uuidRef(bridge)]],
});
