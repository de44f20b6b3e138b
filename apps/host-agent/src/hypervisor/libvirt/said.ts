import { err, invalid, ok, type Result } from '#kernel';

/** A line that `virsh event` begins an event with; of what follows it, indented, see `readPause`. */
export interface DomainEvent {
  /** `lifecycle`, `migration-iteration`… */
  readonly event: string;
  /** The domain's name; events have no other mark of it. */
  readonly domain: string;
  /** As libvirt says it, e.g. `Resumed Migrated`. */
  readonly detail: string;
}

/** As libvirt numbers them (virDomainState and the reasons of each state). */
export interface DomainState {
  readonly state: number;
  readonly reason: number;
}

export interface ListedDomain {
  readonly uuid: string;
  readonly name: string;
  /** Null: it went while it was asked about. */
  readonly state: DomainState | null;
}

/** What libvirt does with a domain just now; null in its place: nothing, or it does not say (at a destination). */
export interface Job {
  readonly operation: number;
}

/** What is known of one domain. Null state: it is not defined here. */
export interface Look {
  readonly state: DomainState | null;
  readonly job: Job | null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const isUuid = (text: string): boolean => UUID.test(text);

/** Null: no beginning of an event. */
export function readEvent(line: string): DomainEvent | null {
  const found = /^[\d-]+ [\d:.+]+: event '([a-z0-9-]{1,64})' for domain '(.{1,1024}?)':(?: (.*))?$/.exec(
    line,
  );
  if (found === null) return null;
  const [, event = '', domain = '', detail = ''] = found;
  return { event, domain, detail };
}

/**
 * Of an event of a job that is over: for how long the guest stood still, ms, from its stop here to its going on there, by
 * both hosts' clocks. Null: it is another line.
 */
export function readPause(line: string): number | null {
  const digits = /^\tdowntime: (\d{1,9})$/.exec(line)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** What `list --all --uuid --name; domstats --state --raw` prints: a line a domain, then a paragraph a domain. */
export function readDomains(text: string): Result<readonly ListedDomain[]> {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('Domain: '));
  const [listed, stats] = first < 0 ? [lines, []] : [lines.slice(0, first), lines.slice(first)];
  const states = readStates(stats);
  const domains: ListedDomain[] = [];
  for (const line of listed) {
    if (line.trim() === '') continue;
    const [, uuid = '', name = ''] = /^\s*(\S{36})\s+(\S.*?)\s*$/.exec(line) ?? [];
    if (!isUuid(uuid))
      return err(invalid('domain', line.slice(0, 80), 'is no line of virsh list', '<uuid> <name>'));
    domains.push({ uuid, name, state: states.get(name) ?? null });
  }
  return ok(domains);
}

/** Of one domain, as `domjobinfo --rawstats; domstats --state --raw` prints it. */
export function readLook(text: string): Look {
  const [state = null] = readStates(text.split('\n')).values();
  return { job: readJob(text), state };
}

function readStates(lines: readonly string[]): ReadonlyMap<string, DomainState> {
  const states = new Map<string, DomainState>();
  let name: string | null = null;
  let state: number | null = null;
  for (const line of lines) {
    const domain = /^Domain: '(.*)'$/.exec(line)?.[1];
    if (domain !== undefined) [name, state] = [domain, null];
    const [, key, digits] = /^ {2}state\.(state|reason)=(\d{1,4})$/.exec(line) ?? [];
    if (key === 'state') state = Number(digits);
    if (key === 'reason' && name !== null && state !== null)
      states.set(name, { state, reason: Number(digits) });
  }
  return states;
}

/** Types 1 and 2 are jobs that run; 0 is none, and the others have ended. */
function readJob(text: string): Job | null {
  const type = /^Job type: (\d{1,2})$/m.exec(text)?.[1];
  if (type !== '1' && type !== '2') return null;
  return { operation: Number(/^operation: (\d{1,4})$/m.exec(text)?.[1] ?? 0) };
}

/** What `dominfo; migrate-getspeed` says; speed in MiB/s. */
export function readTerms(text: string): Result<{ readonly isPersistent: boolean; readonly speed: string }> {
  const persistent = /^Persistent: +(yes|no)$/m.exec(text)?.[1];
  const speed = /^(\d{1,20})$/m.exec(text)?.[1];
  if (persistent !== undefined && speed !== undefined)
    return ok({ isPersistent: persistent === 'yes', speed });
  return err(
    invalid(
      'domain',
      text.slice(0, 80),
      'is not what virsh says of one',
      'Persistent: yes or no, and a speed',
    ),
  );
}
