// How a command ends: the exit codes of the manual, and the error that carries one. Prints nothing.

export const EXIT = {
  /** Done, or everything wanted is up. */
  done: 0,
  /** Refused or failed; the reason is on stderr. */
  failed: 1,
  /** Wrong usage, or a NAME that matches nothing. */
  usage: 2,
  /** Something that should be up is not. */
  down: 3,
  /** No keeper answers. */
  noKeeper: 4,
  /** Still on its way. */
  underWay: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence on stderr. */
export class CommandError extends Error {
  readonly code: ExitCode;
  constructor(code: ExitCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const usageError = (message: string): CommandError => new CommandError(EXIT.usage, message);
