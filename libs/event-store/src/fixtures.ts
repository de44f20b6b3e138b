import { err, invalid, ok, problem, ProblemError, type Clock, type IdGenerator, type Result } from '#kernel';
import {
  appendEach,
  type AppendError,
  type CommitLog,
  type Following,
  type LogBegin,
  type NewMessage,
  type StoredMessage,
  type Topic,
} from './commit-log.js';
import { type Decider, type StateCodec } from './decider.js';
import { InMemoryLog } from './in-memory-log.js';
import { sha256 } from './jetstream/hash.js';
import { type ReplicaRules } from './replica.js';
import { flatCodec, Upcasters } from './upcasters.js';

// A tiny domain and a log with faults, for the specs of this unit only.

export { sha256 };

export interface Account {
  readonly balance: number;
  readonly notes: readonly string[];
}
export type Happened =
  { readonly type: 'Paid'; readonly amount: number } | { readonly type: 'Noted'; readonly text: string };
export type Order =
  | { readonly kind: 'pay'; readonly amount: number }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'nothing' };

export const account: Decider<Account, Order, Happened> = {
  initial: { balance: 0, notes: [] },
  decide(state, order) {
    if (order.kind === 'nothing') return ok([]);
    if (order.kind === 'note') return ok([{ type: 'Noted', text: order.text }]);
    if (order.amount < -1_000) return state.balance > 0 ? ok([]) : err(problem('unavailable', 'not yet'));
    if (order.amount === 13) throw new Error('a defect');
    if (state.balance + order.amount < 0)
      return err(invalid('amount', order.amount, 'is more than there is'));
    return ok([{ type: 'Paid', amount: order.amount }]);
  },
  evolve(state, event) {
    if (event.type === 'Paid') return { ...state, balance: state.balance + event.amount };
    return { ...state, notes: [...state.notes, event.text] };
  },
};

export const upcasters = new Upcasters({ Paid: 1, Noted: 1 });

export const rules: ReplicaRules<Account, Happened> & { decider: typeof account } = {
  decider: account,
  hash: sha256,
  codec: flatCodec<Happened>(upcasters),
  upcasters,
};

export const accountCodec: StateCodec<Account> = {
  toJson: (state) => state,
  fromJson: (json): Result<Account> => {
    const balance = (json as Partial<Account>).balance;
    return typeof balance === 'number' ? ok(json as Account) : err(problem('invalid', 'not an account'));
  },
};

/** Ids that count up, in uuid form. */
export function counterIds(prefix = 0): IdGenerator {
  let n = 0;
  const hex = (v: number, width: number) => v.toString(16).padStart(width, '0');
  return { next: () => `${hex(prefix, 8)}-0000-4000-8000-${hex(++n, 12)}` };
}

/** Time stands still; timers run as soon as the present work is done. */
export function instantClock(): Clock & { time: number } {
  return {
    time: Date.parse('2026-01-01T00:00:00Z'),
    now() {
      return this.time;
    },
    monotonic() {
      return this.time;
    },
    after(ms, fn) {
      let cancelled = false;
      setImmediate(() => {
        this.time += ms;
        if (!cancelled) fn();
      });
      return () => (cancelled = true);
    },
  };
}

/** What happens to one append: `lost-ack` stores and tells nobody; `lost` does neither; `refused` says so. */
export type Fault = 'none' | 'slow' | 'lost-ack' | 'lost' | 'refused';

/** A log behind a bad network. */
export class FaultyLog implements CommitLog {
  /** Faults of the next appends, in order; then none. */
  faults: Fault[] = [];
  /** Appends wait here while it is set. */
  gate: Promise<void> | undefined;
  /** Questions for its end that are not answered from then on, after so many that are. */
  silentAfter: { answers: number; silent: number } | undefined;

  /** `inner` may be put in the place of another: a log that was restored from an older copy. */
  constructor(public inner: CommitLog) {}

  get maxBytes(): number {
    return this.inner.maxBytes;
  }

  async append(
    message: NewMessage,
    expected: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    const fault = this.faults.shift() ?? 'none';
    if (this.gate !== undefined) await this.gate;
    if (fault === 'lost') return err('unknown');
    if (fault === 'refused') return err('unavailable');
    const result = await this.inner.append(message, expected, previousId);
    if (fault === 'slow') await new Promise(setImmediate);
    return fault === 'lost-ack' ? err('unknown') : result;
  }

  appendRun(
    messages: readonly NewMessage[],
    expected: number,
    previousId?: string,
  ): Promise<Result<{ readonly seq: number }, AppendError>> {
    return appendEach(this, messages, expected, previousId);
  }

  read(fromSeq: number, topic?: Topic): AsyncIterable<readonly StoredMessage[]> {
    return this.inner.read(fromSeq, topic);
  }
  follow(
    from: number,
    handler: (m: StoredMessage) => void,
    onEnd: (cause: unknown) => void,
    onAgain?: () => void,
  ): Following {
    return this.inner.follow(from, handler, onEnd, onAgain);
  }
  last(): Promise<number> {
    const { silentAfter } = this;
    if (silentAfter !== undefined && (silentAfter.answers -= 1) < 0 && (silentAfter.silent -= 1) >= 0)
      return Promise.reject(new ProblemError(problem('unavailable', 'the log does not answer')));
    return this.inner.last();
  }
  begins(): Promise<LogBegin> {
    return this.inner.begins();
  }
}

/** The first messages of a log, as they come back from a copy. */
export async function copyOf(log: CommitLog, messages: number): Promise<InMemoryLog> {
  const copy = new InMemoryLog();
  for await (const batch of log.read(1))
    for (const { seq, topic, bytes } of batch)
      if (seq <= messages) await copy.append({ id: `copy-${seq}`, topic, bytes }, seq - 1);
  return copy;
}
