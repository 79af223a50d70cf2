// The kernel writes amounts of memory in kB of 1024 bytes; everything of ours counts bytes.

/** Null for digits that were not there. */
export const bytesIn = (kilobytes: string | undefined): number | null =>
  kilobytes === undefined ? null : Number(kilobytes) * 1024;
