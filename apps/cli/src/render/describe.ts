import {
  type GroupStats,
  type GroupView,
  type HostView,
  type SetView,
  type SwitchView,
} from '#contracts/http';
import { exceptions, indented, policySection, section } from './sections.js';
import { hitsSection, uplinkColumns } from './stats.js';
import { featureRows } from './switch-features.js';
import { safe, state, type Style } from './style.js';
import { health, neighbours, switchFaults } from './uplinks.js';
import { facts, table } from './table.js';
import { ago, count, plural } from './units.js';

export function describeHost(h: HostView, style: Style, now: number): string {
  const s = h.status;
  const labels = Object.entries(h.spec.labels).map(([k, v]) => `${k}=${v}`);
  const behind = s.behind === null || s.behind === 0 ? '' : ` (${plural(s.behind, 'revision')} behind)`;
  const head: [string, string][] = [
    ['host', style.bold(h.metadata.name)],
    [
      'state',
      `${state(style, s.state)}${h.spec.maintenance ? `, ${maintenance(s.ports.active, style)}` : ''}`,
    ],
    ...(s.death === undefined
      ? []
      : [
          ['dead', `${safe(s.death.reason)} (${safe(s.death.by)}, ${ago(s.death.at, now)})`] as [
            string,
            string,
          ],
        ]),
    ['last seen', ago(s.lastSeen, now)],
    ['realised', s.realised === null ? 'not known' : `revision ${s.realised}`],
    ['received', s.received === null ? 'not known' : `revision ${s.received}${behind}`],
    ['agent', s.driver === null ? 'not known' : `${s.driver}, version ${s.version ?? '?'}`],
    ...(s.tables === undefined ? [] : [['tables', s.tables] as [string, string]]),
    ['ports', `${s.ports.active} active, ${s.ports.standby} standby, ${s.ports.retiring} retiring`],
    ...(s.waitsFor === undefined ? [] : [['waits for', s.waitsFor.join(', ')] as [string, string]]),
    ['limit', `${plural(h.spec.migrationLimit, 'guest')} leaving and as many arriving at once`],
    ['labels', safe(labels.join(', ')) || 'none'],
    ['management', h.spec.managementPath ?? 'not set'],
    ['preload', h.spec.preload.join(', ') || 'none'],
    ...(h.spec.foreignFlows === 'remove'
      ? [['foreign', 'flows of others are removed'] as [string, string]]
      : []),
    ['drift', s.drift.count === 0 ? 'none seen' : `${s.drift.count} seen, last ${ago(s.drift.last, now)}`],
    ['version', String(h.metadata.version)],
  ];
  const uplinks = indented(
    table(
      [
        { title: 'SWITCH', cell: (u) => u.switch },
        { title: 'UPLINK', cell: (u) => u.uplink },
        { title: 'DEVICE', cell: (u) => u.device },
        {
          title: 'LINK',
          cell: linkOf,
          paint: (t) => (t.includes(',') ? style.bad(t) : state(style, t)),
        },
        ...(s.uplinks.some((u) => u.load !== undefined) ? [{ title: 'LOAD', cell: loadOf }] : []),
        ...uplinkColumns<Uplink>(style),
      ],
      s.uplinks,
      style,
    ),
  );
  const vms = s.vms.map((v) => {
    const traffic =
      v.sent === undefined ? '' : `, sent ${count(v.sent)} pkt, received ${count(v.received ?? 0)} pkt`;
    return `  ${safe(v.owner)}: ${state(style, v.state)}${traffic}\n`;
  });
  return (
    facts(head, style) +
    (s.uplinks.length === 0 ? '' : section('Uplinks', uplinks, style)) +
    neighbours(s.uplinks, style) +
    health(s.uplinks, style) +
    (vms.length === 0 ? '' : section('Guests', vms.join(''), style)) +
    exceptions(s.exceptions, style)
  );
}

/** Ports can be bound there all the same: who starts a guest there must know. */
const maintenance = (active: number, style: Style): string =>
  active === 0 ? 'in maintenance' : style.warn(`in maintenance, with ${plural(active, 'active port')}`);

type Uplink = HostView['status']['uplinks'][number];

/** `up, alone`: where beacons say more than the link. */
function linkOf({ up, beacons }: Uplink): string {
  if (up === null) return 'not known';
  if (!up) return 'down';
  return beacons === undefined || beacons === 'heard' ? 'up' : `up, ${beacons}`;
}

/** `76 %, 2 moved`: of its speed, in the fuller direction. */
function loadOf({ load }: Uplink): string {
  if (load === undefined) return '';
  const share = Math.round((100 * Math.max(load.sent, load.received)) / load.speed);
  return `${share} %${load.moved.length === 0 ? '' : `, ${load.moved.length} moved`}`;
}

export function describeSwitch(s: SwitchView, style: Style): string {
  const members = Object.entries(s.spec.members).map(([host, map]) => {
    const pnics = Object.entries(map).map(([uplink, device]) => `${uplink} = ${device}`);
    return `  ${host}: ${safe(pnics.join(', ')) || 'no uplink, internal only'}\n`;
  });
  return (
    facts(
      [
        ['switch', style.bold(s.metadata.name)],
        ['kind', s.kind === 'DistributedSwitch' ? 'distributed' : 'standard'],
        ['uplinks', s.spec.uplinks.join(', ') || 'none: internal only'],
        ['mtu', `${s.spec.mtu} bytes`],
        ['groups', String(s.status.groups)],
        ['ports', `${s.status.connected} of ${s.status.ports} connected`],
        ...featureRows(s.spec),
        ['version', String(s.metadata.version)],
      ],
      style,
    ) +
    section('Hosts and their pNICs', members.join('') || '  none\n', style) +
    switchFaults(s.status.health, style) +
    policySection(s.spec.policy, 'switch', style)
  );
}

/** `stats`: absent where it is not told. */
export function describeGroup(g: GroupView, stats: GroupStats | undefined, style: Style): string {
  const expand = g.spec.autoExpand ? ', makes more when full' : '';
  const shrink = g.spec.autoShrink ? ', and fewer when free' : '';
  const amount =
    g.spec.binding === 'static' ? `${g.spec.ports} at least${expand}${shrink}` : g.spec.ports || 'no limit';
  return (
    facts(
      [
        ['group', style.bold(g.metadata.name)],
        ['switch', g.spec.switch],
        ['phase', state(style, g.status.phase)],
        ['binding', `${g.spec.binding}, ${amount}`],
        ['ports', `${g.status.connected} of ${g.status.ports} connected`],
        ['overridable', g.spec.overridable.join(', ') || 'nothing'],
        ['disconnect', g.spec.resetAtDisconnect ? 'resets overrides' : 'keeps overrides'],
        ['partition', g.spec.partitionPolicy === 'keep' ? 'keep forwarding' : 'isolate'],
        ['offline', g.spec.startOffline ? 'may start without the centre' : 'stays closed without the centre'],
        ['version', String(g.metadata.version)],
      ],
      style,
    ) +
    policySection(g.spec.policy, 'group', style) +
    hitsSection(stats?.ruleHits ?? {}, style)
  );
}

/** Members that a list shows; the rest is told by `get -o yaml`. */
const SHOWN = 20;

export function describeSet(s: SetView, style: Style): string {
  const listed = (items: readonly string[]): string => {
    const more = items.length > SHOWN ? [`and ${items.length - SHOWN} more`] : [];
    return [...items.slice(0, SHOWN).map(safe), ...more].join('\n') || 'none';
  };
  const members: [string, string][] =
    'addresses' in s.spec
      ? [['addresses', listed(s.spec.addresses)]]
      : [
          ['groups', listed(s.spec.groups)],
          ['ports', listed(s.spec.ports)],
          ['owners', listed(s.spec.owners)],
          ['now', plural(s.status.members, 'MAC')],
        ];
  return facts(
    [
      ['set', style.bold(s.metadata.name)],
      ...members,
      ['named by', s.status.namedBy.join(', ') || 'nobody'],
      ['version', String(s.metadata.version)],
    ],
    style,
  );
}
