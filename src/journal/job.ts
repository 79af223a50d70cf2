// What the disk thread is asked to keep: a small file, replaced as a whole. Of several that wait only the newest is written.

export interface WriteJob {
  readonly type: 'write';
  readonly key: string;
  readonly lasts: 'once';
  readonly path: string;
  readonly text: string;
}

export const writeJob = (path: string, text: string): WriteJob => ({
  type: 'write',
  key: `write ${path}`,
  lasts: 'once',
  path,
  text,
});
