// What a service stores and removes in graceful C2, C3 and C4, and what is kept of it after each: as systemd 252 counts.

export type Step = Readonly<Record<string, string | number | boolean>>;

export const COUNTED: readonly Step[] = [
  { files: 2, say: 'FDSTORE=1\nFDNAME=a' },
  { files: 1, say: 'FDSTORE=1\nFDNAME=b' },
  { again: 0, say: 'FDSTORE=1\nFDNAME=another' },
  { files: 1, say: 'FDSTORE=1\nFDNAME=a:b' },
  { files: 1, say: `FDSTORE=1\nFDNAME=${'x'.repeat(256)}` },
  { pipe: 'p', say: 'FDSTORE=1\nFDNAME=pipe' },
  { hangUp: 'p' },
  { pipe: 'q', say: 'FDSTORE=1\nFDNAME=unwatched\nFDPOLL=0' },
  { hangUp: 'q' },
  { files: 1, say: 'FDSTORE=1\nFDNAME=seventh' },
  { files: 10, say: 'FDSTORE=1\nFDNAME=many' },
  { say: 'FDSTOREREMOVE=1\nFDNAME=many' },
  { files: 1, say: 'FDSTOREREMOVE=1\nFDSTORE=1\nFDNAME=both' },
  { say: 'FDSTOREREMOVE=1\nFDNAME=b' },
];

export const COUNTS: readonly number[] = [2, 3, 3, 4, 5, 6, 5, 6, 6, 7, 12, 7, 7, 6];
