import { type Link } from './link.js';

/**
 * Who of several leads, by a lease at the server: the behaviour of the real election over a bucket with a time to
 * live. A holder gives up by its own clock before the server's lease can have run out; one whose connection is gone
 * is not waited for.
 */
export class LinkElection {
  private revision: number | null = null;
  private validUntil = 0;
  private cancelExpiry = (): void => undefined;
  private cancelTick = (): void => undefined;
  private closed = false;
  private busy = false;
  private holderGone = false;
  private readonly holder: string;

  constructor(
    private readonly link: Link,
    private readonly role: string,
    private readonly ttlMs: number,
    private readonly onElected: () => void,
    private readonly onLost: (reason: string) => void,
  ) {
    this.holder = `${link.process.name}-${link.process.ids.next()}`;
  }

  get leads(): boolean {
    return this.revision !== null && this.link.process.clock.monotonic() < this.validUntil;
  }

  start(): void {
    const { link, role } = this;
    link.server.candidates.add({
      link,
      role,
      gone: () => this.gone(),
      taken: (holder, revision) => this.taken(holder, revision),
    });
    link.onState((up) => {
      if (!up) this.holderGone = false;
      else if (this.revision !== null) link.server.listen(role, link);
      if (up) void this.turn();
    });
    void this.turn();
  }

  close(): void {
    this.closed = true;
    this.lose('closed');
  }

  private async turn(): Promise<void> {
    if (this.closed || this.busy) return;
    this.busy = true;
    this.cancelTick();
    await (this.revision === null ? this.acquire() : this.refresh(this.revision));
    this.busy = false;
    if (!this.closed) this.cancelTick = this.link.process.clock.after(this.ttlMs / 4, () => void this.turn());
  }

  private async acquire(): Promise<void> {
    const { link, role, holder, ttlMs } = this;
    const asked = link.process.clock.monotonic();
    const seen = await link.ask(`lease ${role}?`, () => link.server.lease(role) ?? null);
    if (seen.kind !== 'answer') return;
    if (seen.value !== null && seen.value.holder !== holder && !this.holderGone) return;
    this.holderGone = false;
    const expected = seen.value?.revision ?? null;
    const answer = await link.ask(`lease ${role}`, () => link.server.hold(role, holder, expected, ttlMs));
    if (answer.kind !== 'answer' || answer.value === null) return;
    this.hold(asked, answer.value);
    if (!this.leads) this.revision = null;
    else {
      link.server.listen(role, link);
      this.onElected();
    }
  }

  private async refresh(revision: number): Promise<void> {
    const { link, role, holder, ttlMs } = this;
    const asked = link.process.clock.monotonic();
    const answer = await link.ask(`lease ${role}`, () => link.server.hold(role, holder, revision, ttlMs));
    if (answer.kind !== 'answer' || this.revision === null) return;
    if (answer.value === null) this.lose('another holds the lease');
    else this.hold(asked, answer.value);
  }

  /** Nobody listens where the holder did: it is asked some times more before it is not waited for. */
  private gone(): void {
    const { link, role } = this;
    const { scheduler, random } = link.server;
    scheduler.in(random.between(80, 200), link.process, 'the holder is gone', () => {
      if (this.revision !== null || !link.up || link.server.listens(role)) return;
      this.holderGone = true;
      void this.turn();
    });
  }

  private taken(holder: string, revision: number): void {
    this.link.deliver(`lease of ${holder}`, () => {
      if (this.revision !== null && revision > this.revision && holder !== this.holder)
        this.lose('another holds the lease');
    });
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
    this.link.server.unlisten(this.role, this.link);
    this.onLost(reason);
  }
}
