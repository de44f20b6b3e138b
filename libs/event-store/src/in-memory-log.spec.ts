import { describeCommitLog } from './contract.js';
import { InMemoryLog } from './in-memory-log.js';

describeCommitLog('the log in memory', () => {
  const log = new InMemoryLog(4096);
  return Promise.resolve({ log, other: log, close: () => Promise.resolve() });
});
