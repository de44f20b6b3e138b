import { err, ok, problem, type Result } from '#kernel';
import { type WireEvent } from './envelope.js';

/** The data of one version of an event as the next version has it. Pure; throws on data that it can't read. */
export type Upcast = (data: unknown) => unknown;

/**
 * Which events this code reads. `current` maps a type to its newest version; `steps` holds, under `type` and `v`,
 * what leads from `v` to `v + 1`. Throws when a step is missing: a gap must show at start, not in a replay.
 */
export class Upcasters {
  readonly #current: ReadonlyMap<string, number>;
  readonly #steps = new Map<string, Upcast>();

  constructor(
    current: Readonly<Record<string, number>>,
    steps: readonly { readonly type: string; readonly v: number; readonly up: Upcast }[] = [],
  ) {
    this.#current = new Map(Object.entries(current));
    for (const { type, v, up } of steps) this.#steps.set(`${type}/${v}`, up);
    for (const [type, newest] of this.#current) {
      for (let v = 1; v < newest; v++) {
        if (!this.#steps.has(`${type}/${v}`)) throw new Error(`no upcaster of ${type} from version ${v}`);
      }
    }
  }

  /** The event in its newest version; a problem for an unknown type, a version from the future or unreadable data. */
  upcast(event: WireEvent): Result<WireEvent> {
    const newest = this.#current.get(event.type);
    if (newest === event.v) return ok(event);
    if (newest === undefined) return err(problem('internal', `unknown event ${event.type}`));
    if (event.v > newest) {
      return err(problem('internal', `${event.type} v${event.v} is newer than v${newest}, the newest known`));
    }
    let data = event.data;
    for (let v = event.v; v < newest; v++) {
      try {
        data = this.#steps.get(`${event.type}/${v}`)!(data);
      } catch (cause) {
        return err(problem('internal', `${event.type} v${v} can't be upcast: ${String(cause)}`));
      }
    }
    return ok({ type: event.type, v: newest, data });
  }

  /** The version to write events of a type in. */
  versionOf(type: string): number {
    const v = this.#current.get(type);
    if (v === undefined) throw new Error(`event ${type} is not registered`);
    return v;
  }
}

/**
 * A codec for events of the form `{type, …fields}`: the fields are the data. `accept` may check the data of the
 * newest version; without it the data is trusted as the log's own.
 */
export function flatCodec<Event extends { readonly type: string }>(
  upcasters: Upcasters,
  accept: (event: Event) => Result<Event> = ok,
): { toWire(event: Event): WireEvent; fromWire(event: WireEvent): Result<Event> } {
  return {
    toWire: ({ type, ...data }) => ({ type, v: upcasters.versionOf(type), data }),
    fromWire: (wire) => {
      const { type, data } = wire;
      if (typeof data !== 'object' || data === null || Array.isArray(data))
        return err(problem('internal', `data of ${type} is not an object`));
      return accept({ ...data, type } as unknown as Event);
    },
  };
}
