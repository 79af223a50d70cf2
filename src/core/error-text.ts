// Whatever was thrown, as text: in one sentence where it was an Error, or by its code where the system gave one.

/** `ENOENT: no such file or directory, open '/a'` */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `ENOENT`: short, and the same in every language. `otherwise`: what stands for an error that has none. */
export const errorCode = (error: unknown, otherwise = String(error)): string =>
  error instanceof Error && 'code' in error ? String(error.code) : otherwise;
