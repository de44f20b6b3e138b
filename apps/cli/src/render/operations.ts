import { type EventView, type Status } from '#contracts/http';
import { safe, state, type Style } from './style.js';
import { facts } from './table.js';
import { clockTime, plural } from './units.js';

/** Repeats are no sign of anything: agents tell again what they do not know to have arrived. */
function refusedOf({ refused = [] }: Status, style: Style): [string, string][] {
  const lines = refused
    .filter((r) => r.kind !== 'repeat')
    .map((r) => style.warn(safe(`${r.count} of ${r.host}: ${r.kind}`)));
  return lines.length === 0 ? [] : [['refused', lines.join('\n')]];
}

export function statusText(s: Status, style: Style, now: number): string {
  const late = s.hosts.behind.map(
    (h) =>
      `\n${h.host} ${state(style, h.state)}${h.realised === null ? '' : `, realised revision ${h.realised}`}`,
  );
  const all = s.hosts.realised === s.hosts.total;
  const realised = `${s.hosts.realised}/${s.hosts.total}`;
  const managers = s.managers.map(
    (m) => `${m.id} ${m.role}${m.revision === null ? '' : ` at revision ${m.revision}`}`,
  );
  return facts(
    [
      [
        'revision',
        `${style.bold(String(s.revision))}${s.time === null ? '' : `, ${clockTime(s.time, now)}`}`,
      ],
      ['lineage', s.lineage ?? 'none yet'],
      ...(s.digest === null ? [] : [['digest', s.digest] as [string, string]]),
      ['leader', s.leader ?? style.bad(noLeader(s))],
      ...(managers.length === 0 ? [] : [['managers', managers.join('\n')] as [string, string]]),
      ['hosts', `${all ? style.good(realised) : style.warn(realised)} realised${late.join('')}`],
      ['problems', s.exceptions === 0 ? 'none' : style.bad(`${s.exceptions}: see portolan hosts`)],
      ...refusedOf(s, style),
      ['switches', `${s.counts.switches}, with ${plural(s.counts.groups, 'port group')}`],
      ['ports', `${s.counts.ports}, ${s.counts.connected} connected, ${s.counts.migrating} migrating`],
      [
        'api',
        s.api.follows
          ? `version ${s.version}`
          : style.bad(safe(`version ${s.version}; stands still: ${s.api.problem ?? ''}`)),
      ],
    ],
    style,
  );
}

/** Whoever follows the log and still has something to say tells why nobody leads. */
function noLeader({ api }: Status): string {
  const why = api.follows && api.problem !== null ? `\n${safe(api.problem)}` : '';
  return `none known: changes are not taken at the moment${why}`;
}

export function eventLine(e: EventView, style: Style, now: number): string {
  const rev = String(e.revision).padStart(5);
  const by = e.actor === '' ? '' : style.dim(`  (${safe(e.actor)})`);
  return `${style.dim(rev)}  ${style.dim(clockTime(e.time, now))}  ${safe(e.sentence)}${by}\n`;
}
