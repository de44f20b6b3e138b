import { type ProblemBody } from '#contracts/http';

/** What the shell gets. Scripts branch on these, so they never change their meaning. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  timedOut: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ctrl-C, and nothing more to say of it. */
export const INTERRUPTED = 'interrupted';

/** Ends a command with a message for people and a code for scripts. */
export class CliError extends Error {
  constructor(
    readonly exit: ExitCode,
    message: string,
    readonly problem?: ProblemBody,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  'not-found': EXIT.notFound,
  conflict: EXIT.conflict,
  fenced: EXIT.conflict,
  unavailable: EXIT.unavailable,
  unknown: EXIT.unavailable,
};

/** The problem's own code decides; the HTTP status only where a proxy answered in the server's place. */
export function exitOf(status: number, code: string | undefined): ExitCode {
  const known = code === undefined ? undefined : BY_CODE[code];
  if (known !== undefined) return known;
  if (code !== undefined) return EXIT.failed;
  if (status === 404) return EXIT.notFound;
  if (status === 409 || status === 412) return EXIT.conflict;
  return status === 502 || status === 503 || status === 504 ? EXIT.unavailable : EXIT.failed;
}
