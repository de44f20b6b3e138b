import { err, ok, problem, ProblemError, type Result } from '#kernel';
import { type SavedSnapshot } from '../snapshot.js';
import { type ArchiveStore, type Block, type Segment, type SegmentWriter } from './segment.js';

interface Kept {
  manifest: string;
  file: Uint8Array[];
  snapshot: { readonly seq: number; lines: string[] };
}

/** An archive in memory, for tests: not compressed, and open to damage. */
export class InMemoryArchive implements ArchiveStore {
  readonly place = 'memory';
  readonly kept = new Map<string, Kept>();

  manifests(): Promise<readonly { readonly name: string; readonly text: string }[]> {
    return Promise.resolve([...this.kept].map(([name, { manifest }]) => ({ name, text: manifest })));
  }

  lines(segment: Segment, block: Block): Promise<Uint8Array> {
    const found = this.kept.get(segment.name)?.file[segment.blocks.indexOf(block)];
    if (found !== undefined) return Promise.resolve(found);
    throw new ProblemError(problem('internal', `archive segment ${segment.name} is missing`));
  }

  snapshot(segment: Segment): Promise<SavedSnapshot> {
    const found = this.kept.get(segment.name)?.snapshot;
    if (found !== undefined) return Promise.resolve(found);
    throw new ProblemError(problem('internal', `the snapshot of ${segment.name} is missing`));
  }

  write(): Promise<SegmentWriter> {
    const file: Uint8Array[] = [];
    let snapshot: Kept['snapshot'] = { seq: 0, lines: [] };
    let size = 0;
    return Promise.resolve({
      block: (lines) => {
        file.push(lines);
        size += lines.length;
        return Promise.resolve({ at: size - lines.length, length: lines.length });
      },
      snapshot: ({ head, lines }) => Promise.resolve(void (snapshot = { seq: head.seq, lines: [...lines] })),
      seal: (name, manifest): Promise<Result<void>> => {
        if (this.kept.has(name)) return Promise.resolve(err(problem('conflict', `${name} is there already`)));
        this.kept.set(name, { manifest: manifest(size), file, snapshot });
        return Promise.resolve(ok(undefined));
      },
      abandon: () => Promise.resolve(),
    });
  }
}
