import { problem, ProblemError, type Clock } from '#kernel';

interface Waiter {
  readonly wanted: number;
  settle(problem?: ProblemError): void;
}

/** Waits until vswitchd has carried out the database's configuration: its `cur_cfg` reached a `next_cfg`. */
export class ConfigWait {
  private readonly waiters = new Set<Waiter>();
  private current = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: Clock) {}

  /** The switch says that it is at this configuration. */
  at(current: number): void {
    this.current = current;
    for (const waiter of [...this.waiters]) if (waiter.wanted <= current) waiter.settle();
  }

  /** Rejects as `unknown` when the switch does not get there in time: the database holds the change all the same. */
  reached(wanted: number, limitMs: number): Promise<void> {
    if (wanted <= this.current) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        wanted,
        settle: (fault) => {
          cancel();
          this.waiters.delete(waiter);
          if (fault) reject(fault);
          else resolve();
        },
      };
      const cancel = this.clock.after(limitMs, () =>
        waiter.settle(unconfirmed(`vswitchd did not carry it out in ${limitMs} ms`)),
      );
      this.waiters.add(waiter);
    });
  }

  close(): void {
    for (const waiter of [...this.waiters]) waiter.settle(unconfirmed('the driver was closed'));
  }
}

function unconfirmed(reason: string): ProblemError {
  return new ProblemError(problem('unknown', `the switch's database was changed, but ${reason}`));
}
