import { type DocumentKey, type StateDocument } from '#contracts';
import { isAsWanted } from './desired.js';
import { type Published } from './store.js';

/** Which keys of what is wanted may differ from what stands, apart from those that `Published` names itself. */
export interface Compared {
  readonly with: Published['documents'];
  readonly changed: ReadonlySet<DocumentKey>;
}

/** Documents at a stretch, some 10 ms of work. */
const AT_A_STRETCH = 2_000;

/** What is wanted beside what stands, while both change: each key is looked at again only when one of them did. */
export class Comparison {
  #with: Published['documents'] | null;
  #changed: Set<DocumentKey>;
  #behind: number | null = null;

  constructor(from: Compared | null = null) {
    this.#with = from?.with ?? null;
    this.#changed = new Set(from?.changed);
  }

  /** Documents that stood otherwise than wanted at the last look; null: there was none. */
  get behind(): number | null {
    return this.#behind;
  }

  get outcome(): Compared | null {
    return this.#with && { with: this.#with, changed: this.#changed };
  }

  /** Something else is wanted under this key. Before the first look that says nothing new. */
  changed(key: DocumentKey): void {
    if (this.#with !== null) this.#changed.add(key);
  }

  /** Others have their turn after each stretch, by `pause`. `isOver`: nobody wants to know any more. */
  async look(
    wanted: ReadonlyMap<DocumentKey, StateDocument>,
    published: Published | null,
    pause: () => Promise<void>,
    isOver: () => boolean,
  ): Promise<void> {
    const keys = this.#doubtful(wanted, published);
    if (published === null || keys === null) return;
    let [done, behind] = [0, 0];
    for (const key of keys) {
      if ((done += 1) % AT_A_STRETCH === 0) await pause();
      if (isOver()) return;
      const [it, stands] = [wanted.get(key), published.documents.get(key)];
      if (it === undefined ? stands === undefined : isAsWanted(stands, it)) keys.delete(key);
      else if (it !== undefined) behind += 1;
    }
    this.#behind = behind;
  }

  /** Those of what stands, from now on with all that changed here. */
  #doubtful(
    wanted: ReadonlyMap<DocumentKey, StateDocument>,
    published: Published | null,
  ): Set<DocumentKey> | null {
    const isNew = published?.documents !== this.#with;
    this.#with = published?.documents ?? null;
    if (published === null) return null;
    const { documents, unsure } = published;
    for (const key of isNew ? wanted.keys() : this.#changed) unsure.add(key);
    if (isNew) for (const key of documents.keys()) unsure.add(key);
    this.#changed = new Set();
    return unsure;
  }
}
