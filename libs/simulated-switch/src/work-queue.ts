/** Runs work one after the other, in order, also what is added by work that is running: no calls within calls. */
export class WorkQueue {
  private readonly waiting: (() => void)[] = [];
  private busy = false;

  add(work: () => void): void {
    this.waiting.push(work);
    if (this.busy) return;
    this.busy = true;
    try {
      for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) next();
    } finally {
      this.busy = false;
    }
  }
}
