export { expectHistory, type Expected, type ExpectedGuest, type ExpectedHistory } from './expect.js';
export { type HandOver } from './hand-overs.js';
export {
  replayHistory,
  replayText,
  type History,
  type HistoryLedger,
  type HistoryMigration,
  type ReplayOptions,
} from './replay.js';
