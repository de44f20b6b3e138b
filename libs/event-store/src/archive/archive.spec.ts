import { InMemoryLog } from '../in-memory-log.js';
import { describeArchive, type ArchiveUnderTest } from './contract.js';
import { InMemoryArchive } from './memory-archive.js';

function open(): Promise<ArchiveUnderTest> {
  const store = new InMemoryArchive();
  return Promise.resolve({
    log: new InMemoryLog(64 * 1024),
    store,
    other: open,
    close: () => Promise.resolve(),
    damage: (name, what) => {
      const kept = store.kept.get(name)!;
      if (what === 'messages') kept.file[0] = kept.file[0]!.map((byte, i) => (i === 100 ? byte ^ 1 : byte));
      if (what === 'manifest') kept.manifest = kept.manifest.replace('"messages":', '"messages":1');
      if (what === 'missing') kept.file.length = 0;
      if (what === 'snapshot') kept.snapshot.lines.splice(1, 1);
      return Promise.resolve();
    },
  });
}

describeArchive('a log in memory', open, 100);
