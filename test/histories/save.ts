import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type ListOf, type MigrationView } from '#contracts/http';
import { replayText } from '#testing';
import { type Api } from '../../deploy/quickstart/api.js';

export const DIR = join('test', 'histories');

/** What others than the log say of the story. */
export interface Told {
  /** What the guest itself counted. */
  readonly sent: number;
  readonly phases: Readonly<Record<string, readonly string[]>>;
}

/** The phases that each migration went through, as the API tells them. */
export async function phasesOf(api: Api): Promise<Told['phases']> {
  const { items } = await api.get<ListOf<MigrationView>>('/v1/migrations');
  return Object.fromEntries(items.map((m) => [m.id, m.history.map((h) => h.phase)]));
}

/** `live`: the digest that the running cluster gave, so that it is no echo of the replay. */
export async function save(name: string, ndjson: string, told: Told, live: string | null): Promise<void> {
  // Nothing of the machine that it was recorded on.
  const own = [hostname(), '/tmp/', process.cwd()].find((text) => text.length > 2 && ndjson.includes(text));
  if (own !== undefined) throw new Error(`${name}: ${own} is in it, ${ndjson.split('\n').find((l) => l.includes(own))}`);
  const history = replayText(ndjson);
  if (live !== history.digest) throw new Error(`${name}: the cluster said ${live}, its replay ${history.digest}`);
  const { lineage, revision, digest, commits, events, ledgers, migrations } = history;
  const expected = {
    lineage,
    revision,
    commits: commits.length,
    events: events.length,
    digest,
    guestSent: told.sent,
    phases: told.phases,
    ledgers,
    migrations,
  };
  await writeFile(join(DIR, `${name}.ndjson`), ndjson);
  await writeFile(join(DIR, `${name}.expected.json`), `${JSON.stringify(expected, null, 2)}\n`);
  process.stdout.write(`${name}: ${commits.length} commits, digest ${digest}\n`);
}
