// The person behind a process, in words. Knows only what the kernel and the list of accounts say.

/** As much of it as is known. */
export interface Person {
  readonly uid: number | null;
  readonly user: string | null;
}

/** `alice`, or `uid 1000` for one without a name; null: not known. */
export const personOf = ({ user, uid }: Person): string | null => user ?? (uid === null ? null : `uid ${uid}`);

/** ` by alice`, or nothing where it is not known. */
export function byWhom(by: Person | null): string {
  const person = by === null ? null : personOf(by);
  return person === null ? '' : ` by ${person}`;
}
