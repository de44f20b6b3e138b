import { type Clock } from '#kernel';
import { type PortDocument } from '#contracts';
import { type InterfaceFact } from '#domain';

const FIRST_MS = 2_000;
/** What a guest leaves behind where it was is taken away by whoever moved it, and is no way back until then. */
const LEFT_MS = 10_000;
const LONGEST_MS = 300_000;

/**
 * Where what is plugged and what the documents say part: interfaces that no document speaks of, and ports that are
 * active here without one. The log may have refused an interface when it was told (another migration was running, the
 * group was full), or have given a port back to this host on a word that was not the whole truth. What stood in the
 * way may be gone without this host hearing of it, so everything plugged is told again, ever less often.
 */
export class Unplaced {
  #known = '';
  #delayMs = FIRST_MS;
  #cancel: () => void = () => undefined;

  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly tellAgain: () => void,
  ) {}

  /** The iface-ids of which that is so now, after each pass; `left`: those that had a port here since they were plugged. */
  seen(ifaceIds: readonly string[], left: ReadonlySet<string>): void {
    const waiting = [...ifaceIds].sort().join(' ');
    if (waiting === this.#known) return;
    this.#known = waiting;
    this.#delayMs = ifaceIds.every((id) => left.has(id)) ? LEFT_MS : FIRST_MS;
    this.#arm();
  }

  close(): void {
    this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    if (this.#known === '') return;
    this.#cancel = this.clock.after(this.#delayMs, () => {
      this.#delayMs = Math.min(LONGEST_MS, this.#delayMs * 2);
      this.tellAgain();
      this.#arm();
    });
  }
}

/** iface-ids of interfaces without a document that holds, and of active ports without an interface. */
export function misplaced(
  plugged: readonly InterfaceFact[],
  ports: readonly PortDocument[],
): readonly string[] {
  const here = new Set(plugged.map((i) => i.ifaceId));
  const known = new Set<string>();
  const missing: string[] = [];
  for (const { connectee, role } of ports) {
    if (connectee === null || role === 'retired') continue;
    known.add(connectee.ifaceId);
    if (role === 'active' && !here.has(connectee.ifaceId)) missing.push(connectee.ifaceId);
  }
  return [...[...here].filter((id) => !known.has(id)), ...missing];
}
