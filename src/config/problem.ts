// A mistake in the configuration: where it stands, what was found, what would do. All of them are gathered and
// shown together. Knows nothing of what the mistakes are.

/** Where something stands. Lines and columns count from 1; null: the file as a whole. */
export interface Place {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** `key`: the way to the setting, like `services.ssh.settle`; null where the mistake is in no setting. */
export interface Problem extends Place {
  readonly key: string | null;
  readonly message: string;
}

/** Gathers problems, each place and sentence once, however many services a template is read for. */
export interface Problems {
  report(place: Place, key: string | null, message: string): void;
  readonly found: () => readonly Problem[];
}

/** An empty collection. */
export function gatherProblems(): Problems {
  const byPlace = new Map<string, Problem>();
  return {
    report: (place, key, message) => {
      const { file, line, column } = place;
      const identity = JSON.stringify([file, line, column, message]);
      if (!byPlace.has(identity)) byPlace.set(identity, { file, line, column, key, message });
    },
    found: () => [...byPlace.values()],
  };
}

/** In the order of reading: file by file, what belongs to none of them last, and each from top to bottom. */
export function inOrder(problems: readonly Problem[], read: readonly string[]): readonly Problem[] {
  const files = [...new Set([...read, ...problems.map((problem) => problem.file)])];
  return problems.toSorted(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

/** `file:line:column`, the form that editors and compilers share. */
export function placeText(place: Place): string {
  if (place.line === null) return place.file;
  return place.column === null ? `${place.file}:${place.line}` : `${place.file}:${place.line}:${place.column}`;
}

/** Another place, told from here: its line alone within the same file. */
export const lineText = (other: Place, here: Place): string =>
  other.file === here.file ? `line ${other.line}` : placeText({ ...other, column: null });

/** One line for each problem. */
export function problemText(problem: Problem): string {
  const key = problem.key === null ? '' : `${problem.key}: `;
  return `${placeText(problem)}: ${key}${problem.message}`;
}
