// An answer of the control socket that is not 2xx. In a file of its own because both the server and its parsers throw it.

/** HTTP status, stable code, sentence. */
export class ControlError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
