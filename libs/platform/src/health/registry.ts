import { messageOf } from '#kernel';
import { type NatsLink } from '../nats/link.js';

export interface CheckResult {
  readonly ok: boolean;
  /** For people: why not, or what is true. */
  readonly reason?: string;
}
export type Check = () => CheckResult | Promise<CheckResult>;

export interface Readiness {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

const CHECK_LIMIT_MS = 1_000;

/** The named conditions under which a service calls itself ready. */
export class HealthRegistry {
  private readonly checks = new Map<string, Check>();

  register(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** Asks all at once; one that throws or takes over a second counts as failed, with the reason. */
  async readiness(): Promise<Readiness> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await bounded(check)] as const),
    );
    return { ok: results.every(([, result]) => result.ok), checks: Object.fromEntries(results) };
  }
}

export const natsCheck =
  (link: NatsLink): Check =>
  () => {
    const { state, reason } = link.state();
    return { ok: state === 'connected', reason: reason === undefined ? state : `${state}: ${reason}` };
  };

async function bounded(check: Check): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(
      () => resolve({ ok: false, reason: `no answer within ${CHECK_LIMIT_MS} ms` }),
      CHECK_LIMIT_MS,
    );
  });
  try {
    return await Promise.race([Promise.resolve().then(check), late]);
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}
