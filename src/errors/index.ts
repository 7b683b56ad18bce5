// The error family: every failure a user can meet says what was expected, what came, and what to do.
// The kind decides the exit status of the command line; the code is stable and machine-readable.

export { editDistance, nearestName } from './nearest-name.ts';
export { nearestDivisor, nearestMultiple } from './nearest-number.ts';

/** What went wrong, in the parts that every message is made of. */
export type ErrorDetails = {
  /** Stable kebab-case identifier, e.g. `no-face`. */
  readonly code: string;
  /** One sentence: what was expected and what arrived. */
  readonly message: string;
  /** One sentence: what the user can do next. */
  readonly hint: string;
  readonly cause?: unknown;
};

/** Base of all errors that the project throws on purpose. */
export abstract class AvatarError extends Error {
  readonly code: string;
  readonly hint: string;
  /** Exit status of the command line for this kind of error. */
  abstract readonly exitStatus: 1 | 2 | 3;

  constructor({ code, message, hint, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
  }
}

/** The user's input cannot be used: exit status 2. */
export class BadInputError extends AvatarError {
  readonly exitStatus = 2;
}

/** A file, folder or device that the request needs is not there: exit status 3. */
export class MissingResourceError extends AvatarError {
  readonly exitStatus = 3;
}

/** The program or its machine failed: exit status 1. */
export class FaultError extends AvatarError {
  readonly exitStatus = 1;
}
