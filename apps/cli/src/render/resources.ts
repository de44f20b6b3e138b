import {
  type GroupView,
  type HostView,
  type MigrationView,
  type PortView,
  type SetView,
  type SwitchView,
} from '#contracts/http';
import { type VlanPolicy } from '#domain';
import { patchSummary, vlan } from './policy.js';
import { state, type Style } from './style.js';
import { table, type Column } from './table.js';
import { ago, duration } from './units.js';

/** One row a resource, within 100 columns. */
export function hostTable(items: readonly HostView[], style: Style, now: number): string {
  const number = (n: number | null): string => (n === null ? '-' : String(n));
  const columns: Column<HostView>[] = [
    { title: 'HOST', max: 24, cell: (h) => h.metadata.name },
    {
      title: 'STATE',
      cell: hostState,
      paint: (t, h) => (t === 'up' ? state(style, h.status.state) : style.warn(t)),
    },
    { title: 'REALISED', right: true, cell: (h) => number(h.status.realised) },
    { title: 'RECEIVED', right: true, cell: (h) => number(h.status.received) },
    { title: 'PORTS', right: true, cell: (h) => String(h.status.ports.active) },
    { title: 'UPLINKS', cell: uplinks, paint: (t) => (t.includes('down') ? style.bad(t) : t) },
    {
      title: 'PROBLEMS',
      cell: (h) => (h.status.exceptions.length === 0 ? '' : String(h.status.exceptions.length)),
      paint: (t) => style.bad(t),
    },
    { title: 'DRIVER', cell: (h) => h.status.driver ?? '-' },
    { title: 'LAST SEEN', cell: (h) => ago(h.status.lastSeen, now) },
  ];
  return table(columns, items, style);
}

const hostState = (h: HostView): string =>
  h.spec.maintenance ? `${h.status.state}, maintenance` : h.status.state;

function uplinks(h: HostView): string {
  const all = h.status.uplinks;
  const down = all.filter((u) => u.up === false).length;
  if (all.length === 0) return 'none';
  return down === 0 ? `${all.length} up` : `${all.length - down} up, ${down} down`;
}

export function switchTable(items: readonly SwitchView[], style: Style): string {
  const columns: Column<SwitchView>[] = [
    { title: 'SWITCH', max: 24, cell: (s) => s.metadata.name },
    { title: 'KIND', cell: (s) => (s.kind === 'DistributedSwitch' ? 'distributed' : 'standard') },
    { title: 'UPLINKS', max: 24, cell: (s) => s.spec.uplinks.join(', ') || 'internal only' },
    { title: 'MTU', right: true, cell: (s) => String(s.spec.mtu) },
    { title: 'HOSTS', max: 30, cell: (s) => Object.keys(s.spec.members).join(', ') || 'none' },
    { title: 'GROUPS', right: true, cell: (s) => String(s.status.groups) },
    { title: 'PORTS', right: true, cell: (s) => `${s.status.connected}/${s.status.ports}` },
    { title: 'VERSION', right: true, cell: (s) => String(s.metadata.version) },
  ];
  return table(columns, items, style);
}

export function groupTable(items: readonly GroupView[], style: Style): string {
  const columns: Column<GroupView>[] = [
    { title: 'GROUP', max: 24, cell: (g) => g.metadata.name },
    { title: 'SWITCH', max: 16, cell: (g) => g.spec.switch },
    { title: 'VLAN', max: 22, cell: (g) => groupVlan(g) },
    { title: 'BINDING', cell: (g) => g.spec.binding },
    { title: 'PORTS', right: true, cell: (g) => `${g.status.connected}/${g.status.ports}` },
    { title: 'POLICY', max: 26, cell: (g) => patchSummary(g.spec.policy) },
    { title: 'PHASE', cell: (g) => (g.status.phase === 'open' ? '' : g.status.phase), paint: style.warn },
    { title: 'VERSION', right: true, cell: (g) => String(g.metadata.version) },
  ];
  return table(columns, items, style);
}

function groupVlan(g: GroupView): string {
  const v = g.spec.policy['vlan'] as VlanPolicy | undefined;
  return v === undefined ? 'inherited' : vlan(v);
}

export function portTable(items: readonly PortView[], style: Style): string {
  const columns: Column<PortView>[] = [
    { title: 'PORT', cell: (p) => p.metadata.name },
    { title: 'GROUP', max: 20, cell: (p) => p.status.group },
    { title: 'OWNER', max: 20, cell: (p) => p.status.connectee?.owner ?? '-' },
    { title: 'MAC', cell: (p) => p.status.connectee?.mac ?? '-' },
    { title: 'HOST', max: 30, cell: portHost },
    { title: 'EPOCH', right: true, cell: (p) => String(p.status.epoch) },
    { title: 'STATE', cell: (p) => p.status.state, paint: (t) => state(style, t) },
    { title: 'OVERRIDES', max: 20, cell: (p) => Object.keys(p.spec.override).join(', ') },
  ];
  return table(columns, items, style);
}

export function portHost(p: PortView): string {
  const { active, standby } = p.status;
  if (standby === null) return active?.host ?? '-';
  return `${active?.host ?? '-'} > ${standby.host}`;
}

export function setTable(items: readonly SetView[], style: Style): string {
  const columns: Column<SetView>[] = [
    { title: 'SET', max: 30, cell: (s) => s.metadata.name },
    { title: 'OF', cell: (s) => (s.kind === 'AddressSet' ? 'addresses' : 'ports') },
    { title: 'MEMBERS', right: true, cell: (s) => String(s.status.members) },
    { title: 'NAMED BY', max: 36, cell: (s) => s.status.namedBy.join(', ') || 'nobody' },
    { title: 'VERSION', right: true, cell: (s) => String(s.metadata.version) },
  ];
  return table(columns, items, style);
}

export function migrationTable(items: readonly MigrationView[], style: Style, now: number): string {
  const columns: Column<MigrationView>[] = [
    { title: 'ID', cell: (m) => m.id },
    { title: 'OWNER', max: 20, cell: (m) => m.owner },
    { title: 'FROM', max: 16, cell: (m) => m.source },
    { title: 'TO', max: 16, cell: (m) => m.destination },
    { title: 'PHASE', cell: (m) => m.phase, paint: (t) => state(style, t) },
    { title: 'PORTS', right: true, cell: (m) => String(m.ports.length) },
    { title: 'TOOK', right: true, cell: (m) => (m.finished ? duration(m.elapsedMs) : 'running') },
    { title: 'STARTED', cell: (m) => ago(m.history[0]?.at ?? null, now) },
    { title: 'REASON', max: 24, cell: (m) => m.history.at(-1)?.reason ?? m.reason ?? '' },
  ];
  return table(columns, items, style);
}
