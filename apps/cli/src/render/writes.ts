import { type Realised, type WriteResult } from '#contracts/http';
import { safe, type Style } from './style.js';
import { duration, plural } from './units.js';

const MARK = { created: '+', changed: '~', deleted: '-' } as const;

/** Ports that a group made for itself are told in one line. */
function withoutNewPorts(changed: WriteResult['changed']): { shown: WriteResult['changed']; ports: string } {
  const made = changed.filter((c) => c.kind === 'Port' && c.change === 'created');
  if (made.length < 2) return { shown: changed, ports: '' };
  const names =
    made.length > 2 ? `${made[0]?.name} to ${made.at(-1)?.name}` : made.map((c) => c.name).join(', ');
  return { shown: changed.filter((c) => !made.includes(c)), ports: `${made.length} ports created: ${names}` };
}

/** What a write did, one line an object, then the revision. */
export function writeText(r: WriteResult, style: Style): string {
  const { shown, ports } = withoutNewPorts(r.changed);
  const lines = shown.map((c) => {
    const paint = { created: style.good, changed: style.warn, deleted: style.bad }[c.change];
    const fields =
      c.fields.length === 0 ? '' : `: ${c.fields.slice(0, 6).join(', ')}${c.fields.length > 6 ? ', …' : ''}`;
    return `${paint(MARK[c.change])} ${c.kind}/${c.name} ${c.change}${fields}\n`;
  });
  if (ports !== '') lines.push(`${style.good('+')} ${ports}\n`);
  const same = r.unchanged === 0 ? '' : `${lines.length === 0 ? '' : ', '}${r.unchanged} unchanged`;
  const did = r.changed.length === 0 ? '' : plural(r.changed.length, 'change');
  const what = `${did}${same}` || 'nothing to change';
  if (r.dryRun)
    return `${lines.join('')}dry run: ${what}; nothing was done (decided on revision ${r.revision})\n`;
  return `${lines.join('')}${what}; revision ${style.bold(String(r.revision))}\n`;
}

export function realisedText(r: Realised, style: Style): string {
  if (r.realised && r.of === 0) return 'no host is concerned: there is nothing to wait for\n';
  const line = `realised on ${r.hosts}/${r.of} ${r.of === 1 ? 'host' : 'hosts'} ${r.realised ? 'in' : 'after'} ${duration(r.elapsedMs)}`;
  if (r.realised) return `${style.good(line)}\n`;
  const waiting = r.waiting.map((w) => {
    const at = w.realised === null ? '' : ` (at revision ${w.realised})`;
    return `  ${w.host}: ${safe(w.reason)}${at}\n`;
  });
  const failed = r.exceptions.map(
    (e) => `  ${style.bad(e.code)} ${safe(`${e.object} on ${e.host}: ${e.reason}`)}\n`,
  );
  return `${style.warn(line)}\n${waiting.join('')}${failed.join('')}`;
}
