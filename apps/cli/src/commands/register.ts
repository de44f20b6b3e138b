import { type Command } from 'commander';
import { type Session } from '../session.js';

export type Handler = (session: Session, command: Command) => Promise<void>;

/** Adds commands to the program; `action` opens the session and hands faults on. */
export type Register = (
  program: Command,
  action: (handler: Handler) => (...args: unknown[]) => Promise<void>,
) => void;
