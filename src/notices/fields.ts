// What was read and is not believed yet, to be asked for its fields one by one.

export const fields = (read: unknown): Readonly<Record<string, unknown>> =>
  typeof read === 'object' && read !== null ? { ...read } : {};
