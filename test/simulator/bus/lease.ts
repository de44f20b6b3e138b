import { type Link } from './link.js';

/**
 * Who of several leads, by a lease at the server: the behaviour of the real election over a bucket with a time to
 * live. A holder gives up by its own clock before the server's lease can have run out.
 */
export class LinkElection {
  private revision: number | null = null;
  private validUntil = 0;
  private cancelExpiry = (): void => undefined;
  private closed = false;

  constructor(
    private readonly link: Link,
    private readonly role: string,
    private readonly ttlMs: number,
    private readonly onElected: () => void,
    private readonly onLost: (reason: string) => void,
  ) {}

  get leads(): boolean {
    return this.revision !== null && this.link.process.clock.monotonic() < this.validUntil;
  }

  start(): void {
    void this.turn();
  }

  close(): void {
    this.closed = true;
    this.lose('closed');
  }

  private async turn(): Promise<void> {
    if (this.closed) return;
    const { link, role, ttlMs } = this;
    const { clock, name } = link.process;
    const asked = clock.monotonic();
    const holder = `${name}-${this.link.process.ids.next()}`;
    const { revision } = this;
    const answer = await link.ask(`lease ${role}`, () => link.server.hold(role, holder, revision, ttlMs));
    if (answer.kind === 'answer' && answer.value !== null) {
      const fresh = this.revision === null;
      if (fresh || revision !== null) this.hold(asked, answer.value);
      if (fresh && this.leads) this.onElected();
      else if (fresh) this.revision = null;
    } else if (answer.kind === 'answer' && revision !== null) this.lose('another holds the lease');
    if (!this.closed) clock.after(ttlMs / 4, () => void this.turn());
  }

  private hold(asked: number, revision: number): void {
    const { clock } = this.link.process;
    this.revision = revision;
    this.validUntil = asked + this.ttlMs * 0.9;
    this.cancelExpiry();
    this.cancelExpiry = clock.after(Math.max(0, this.validUntil - clock.monotonic()), () =>
      this.lose('the lease ran out'),
    );
  }

  private lose(reason: string): void {
    if (this.revision === null) return;
    this.revision = null;
    this.cancelExpiry();
    this.onLost(reason);
  }
}
