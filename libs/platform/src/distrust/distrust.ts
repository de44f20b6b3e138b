import { Counter, type Registry } from 'prom-client';
import { type Clock, type Problem } from '#kernel';
import { type Decoder } from '#contracts';
import { Allowance, RATES } from './allowance.js';

export interface Refused {
  readonly host: string;
  readonly kind: string;
  readonly count: number;
}

/** Lines that one host can make a service write: one in this time. */
const SAY_EVERY_MS = 10_000;
/** Of hosts and kinds: the server vouches for the hosts, and kinds are few. */
const MOST = 20_000;

/**
 * What hosts sent and no honest agent would, or not so much of it: counted by host and kind, said in the service's log
 * now and then, and shown to operators. Each host is known by its account, so nobody can be blamed for another.
 */
export class Distrust {
  private readonly counts = new Map<string, Refused>();
  private readonly said = new Map<string, { at: number; since: number }>();
  private readonly allowances: Readonly<Record<keyof typeof RATES, Allowance>>;

  constructor(
    private readonly clock: Clock,
    private readonly log: { warn(fields: object, message: string): void },
  ) {
    this.allowances = {
      facts: new Allowance(clock, RATES.facts),
      report: new Allowance(clock, RATES.report),
      connections: new Allowance(clock, RATES.connections),
      lease: new Allowance(clock, RATES.lease),
      telemetry: new Allowance(clock, RATES.telemetry),
    };
  }

  /** False: the host sends too much. Asked before a message is looked at, which is what a flood would cost. */
  allows(what: keyof typeof RATES, host: string, bytes: number): boolean {
    if (this.allowances[what].allows(host, bytes)) return true;
    this.refused(host, 'flood', `more of ${what} than a host may send`);
    return false;
  }

  /** What a host sent under its own subject; null where it is refused, which is counted. */
  read<T extends { readonly host: string }>(
    what: keyof typeof RATES,
    host: string,
    data: Uint8Array,
    decode: Decoder<T>,
  ): T | null {
    if (!this.allows(what, host, data.length)) return null;
    const read = decode(data);
    if (read.ok && read.value.host === host) return read.value;
    if (read.ok) this.refused(host, 'other-host', `it speaks for ${read.value.host}`);
    else this.refusedFor(host, read.error);
    return null;
  }

  refused(host: string, kind: string, why: string): void {
    const key = `${host} ${kind}`;
    const before = this.counts.get(key);
    if (before === undefined && this.counts.size >= MOST) return;
    this.counts.set(key, { host, kind, count: (before?.count ?? 0) + 1 });
    const now = this.clock.monotonic();
    const said = this.said.get(host);
    if (said !== undefined && now - said.at < SAY_EVERY_MS) {
      said.since += 1;
      return;
    }
    this.said.set(host, { at: now, since: 0 });
    this.log.warn({ host, kind, why, more: said?.since ?? 0 }, 'a message of a host was refused');
  }

  /** By the kind that a problem is of. */
  refusedFor(host: string, problem: Problem): void {
    this.refused(host, kindOf(problem), problem.message);
  }

  list(): readonly Refused[] {
    return [...this.counts.values()].sort((a, b) =>
      a.host === b.host ? (a.kind < b.kind ? -1 : 1) : a.host < b.host ? -1 : 1,
    );
  }

  /** `portolan_host_messages_refused_total`, with the labels `host` and `kind`. */
  measure(registry: Registry): void {
    const list = (): readonly Refused[] => this.list();
    new Counter({
      name: 'portolan_host_messages_refused_total',
      help: 'messages and facts of a host that were refused, by kind',
      labelNames: ['host', 'kind'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { host, kind, count } of list()) this.inc({ host, kind }, count);
      },
    });
  }
}

/** In one word: for labels, and for people who look for what happens often. */
export function kindOf({ code, details: [first] }: Problem): string {
  if (code === 'invalid' && first?.reason === 'is too large') return 'oversized';
  if (code === 'forbidden' || first?.reason === 'is not the host that it came from') return 'other-host';
  if (code === 'unavailable' && first?.field === 'after') return 'gap';
  return KINDS[code] ?? code;
}

const KINDS: Readonly<Partial<Record<Problem['code'], string>>> = {
  invalid: 'malformed',
  'not-found': 'unknown-host',
  fenced: 'stale',
  conflict: 'ahead',
};
