import { type Clock, type Lineage, type Revision } from '#kernel';
import { type DocumentKey, type HandoverToken, type StateDocument } from '#contracts';
import { type DomainEvent, type State } from '#domain';
import { projectAllInTurns } from '../projection/project-all.js';
import { takeChanges } from '../projection/project.js';
import { Holdings } from '../realised/holdings.js';
import { Comparison, type Compared } from './comparison.js';
import { type Published } from './store.js';

/** A commit as a standby reads it. */
export interface FollowedCommit {
  readonly lineage: Lineage;
  readonly revision: Revision;
  readonly events: readonly DomainEvent[];
}

/** What a leader begins with: the documents of a state, and who is to hold them. They are its own from then on. */
export interface Prepared {
  readonly lineage: Lineage;
  /** The very one that they are of. */
  readonly state: State;
  readonly documents: Map<DocumentKey, StateDocument>;
  readonly holdings: Holdings;
  /** Null: nothing was compared yet. */
  readonly compared: Compared | null;
}

/** Where the log was read to. */
export interface ReadHead {
  readonly lineage: Lineage;
  readonly revision: Revision;
  /** Of its last message. */
  readonly hash: string;
  readonly state: State;
}

export interface ReadyOptions {
  readonly clock: Clock;
  readonly handoverToken: HandoverToken;
  /** Null: nothing was read. */
  readonly head: () => ReadHead | null;
  /** The store as it is followed. */
  readonly standing: () => Published | null;
}

/** What was made of the state before becomes that of the state after. `note` is told of each key that changed. */
export function takeOn(
  { documents, holdings }: Pick<Prepared, 'documents' | 'holdings'>,
  before: State,
  after: State,
  events: readonly DomainEvent[],
  handoverToken: HandoverToken,
  note: (key: DocumentKey) => void,
): void {
  for (const change of takeChanges(documents, before, after, events, handoverToken)) {
    holdings.take(change);
    note(change.key);
  }
}

interface Coming {
  readonly commit: FollowedCommit;
  readonly before: State;
  readonly after: State;
}

/** Until it begins: who is elected at once makes them itself. */
const BEGIN_MS = 3_000;
/** Commits are taken in together, so that of what changes again and again only the last is made. */
const IDLE_MS = 500;
/** Commits at a stretch, some 10 ms of work. */
const AT_A_STRETCH = 100;

/**
 * The documents of the state that a standby follows, kept ready and compared with what the leader wrote: with
 * a hundred thousand ports, making and comparing them takes seconds, in which who takes over would carry nothing out.
 */
export class ReadyDocuments {
  #lineage: Lineage | null = null;
  #made: Omit<Prepared, 'compared' | 'lineage'> | null = null;
  #coming: Coming[] = [];
  #comparison = new Comparison();
  #cancel = (): void => undefined;
  /** Goes up when what was begun is over. */
  #run = 0;
  #left: { readonly from: Omit<Prepared, 'state'>; readonly hash: string } | null = null;

  constructor(private readonly options: ReadyOptions) {}

  /** Documents that stood otherwise than wanted when last compared; null: they were not yet. */
  get behind(): number | null {
    return this.#comparison.behind;
  }

  /** Makes them, and keeps them ready from then on. Begins anew if it had begun. */
  begin(): void {
    this.stop();
    void this.#keep(this.#run);
  }

  stop(): void {
    this.#run += 1;
    this.#cancel();
    this.#lineage = this.#made = this.#left = null;
    this.#coming = [];
    this.#comparison = new Comparison();
  }

  /**
   * Keeps ready what a leader ended with, at the message of this hash, as soon as the log is read to there. If it is not
   * read just so, they are made as ever.
   */
  goOn(from: Omit<Prepared, 'state'>, hash: string): void {
    this.begin();
    this.#left = { from, hash };
    this.#takeUp();
  }

  follow(commit: FollowedCommit, before: State, after: State): void {
    if (this.#left !== null) return this.#takeUp();
    if (this.#lineage === null) return;
    if (commit.lineage === this.#lineage) this.#coming.push({ commit, before, after });
    else this.begin();
  }

  /** Of the last commit that was followed; nothing is kept. Null: they were not ready. */
  async take(): Promise<Prepared | null> {
    const run = this.#run;
    if (this.#made !== null) await this.#takeIn(run);
    const [lineage, made] = [this.#lineage, this.#made];
    if (run !== this.#run) return null;
    const compared = this.#comparison.outcome;
    this.stop();
    return made && lineage && { ...made, lineage, compared };
  }

  #takeUp(): void {
    const [left, head] = [this.#left, this.options.head()];
    if (left === null || head === null || head.hash !== left.hash) return;
    this.stop();
    const { lineage, documents, holdings, compared } = left.from;
    this.#lineage = lineage;
    this.#made = { documents, holdings, state: head.state };
    this.#comparison = new Comparison(compared);
    void this.#keep(this.#run, 0);
  }

  async #keep(run: number, beginMs = BEGIN_MS): Promise<void> {
    await this.#rest(beginMs);
    this.#left = null;
    while (run === this.#run) {
      if (this.#made === null && this.#isRead) await this.#make(run);
      await this.#takeIn(run);
      await this.#look(run);
      await this.#rest(IDLE_MS);
    }
  }

  /** What they are compared with was read, or nobody reads it: until then the processor is needed for that. */
  get #isRead(): boolean {
    const published = this.options.standing();
    return published === null || published.mark !== null;
  }

  async #make(run: number): Promise<void> {
    const head = this.options.head();
    if (head === null) return;
    const { lineage, revision, state } = head;
    this.#lineage = lineage;
    const breath = (): Promise<void> => this.#pause(1);
    const of = { ...state, lineage, revision };
    const documents = await projectAllInTurns(of, this.options.handoverToken, breath);
    const holdings = await Holdings.of(documents, breath);
    if (run === this.#run) this.#made = { state, documents, holdings };
  }

  /** What came since, in stretches; when it resolves, nothing is left. */
  async #takeIn(run: number): Promise<void> {
    while (run === this.#run && this.#made !== null && this.#coming.length > 0) {
      this.#takeSome(this.#made, this.#coming.splice(0, AT_A_STRETCH));
      if (this.#coming.length > 0) await this.#pause(1);
    }
  }

  #takeSome(made: Omit<Prepared, 'compared' | 'lineage'>, some: readonly Coming[]): void {
    const [first, last] = [some[0], some.at(-1)];
    if (first === undefined || last === undefined) return;
    const { lineage, revision } = last.commit;
    const events = some.flatMap(({ commit }) => commit.events);
    const before = { ...first.before, lineage };
    const after = { ...last.after, lineage, revision };
    const note = (key: DocumentKey): void => this.#comparison.changed(key);
    takeOn(made, before, after, events, this.options.handoverToken, note);
    this.#made = { ...made, state: last.after };
  }

  async #look(run: number): Promise<void> {
    const published = this.options.standing();
    if (this.#made === null) return;
    const isOver = (): boolean =>
      run !== this.#run || published?.documents !== this.options.standing()?.documents;
    await this.#comparison.look(this.#made.documents, published, () => this.#pause(1), isOver);
  }

  /** Goes no further once it was stopped. */
  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#cancel = this.options.clock.after(ms, resolve);
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.options.clock.after(ms, resolve));
  }
}
