import { type MigrationView } from '#contracts/http';

/** When a phase of it began, ms since the epoch. */
export const at = ({ history }: MigrationView, phase: string): number =>
  Date.parse(history.find((h) => h.phase === phase)?.at ?? '');
