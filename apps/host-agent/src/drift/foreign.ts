import { flowKey, isLearned, isOurs, type Flow, type Observation } from '#openflow';
import { flowText, type Drifted } from './differences.js';

/** Flows of other programs that stand on bridges of ours: each is told once, while it stands. */
export class ForeignFlows {
  #told: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  /** Those that were not told yet. What came by hand (cookie 0) or in our name is no other program's. */
  news(have: Observation): readonly Drifted[] {
    const found: Drifted[] = [];
    const standing = new Map<string, ReadonlySet<string>>();
    for (const { name, flows } of have.bridges) {
      const theirs = new Map<string, Flow>();
      for (const { flow } of flows) if (isForeign(flow)) theirs.set(flowKey(flow), flow);
      if (theirs.size === 0) continue;
      standing.set(name, new Set(theirs.keys()));
      const fresh = [...theirs].filter(([key]) => this.#told.get(name)?.has(key) !== true);
      const differences = fresh.map(([, flow]) => ({
        ...flowText(flow),
        expected: 'absent',
        field: `foreign ${flowText(flow).field}`.slice(0, 1_000),
      }));
      if (differences.length > 0) found.push({ object: `bridge/${name}`, differences });
    }
    this.#told = standing;
    return found;
  }
}

const isForeign = ({ cookie }: Flow): boolean => cookie !== 0n && !isOurs(cookie) && !isLearned(cookie);
