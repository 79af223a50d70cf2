// Vocabulary: what a service had said of itself by sd_notify before it ended, and the errors of it in words. It is its own word,
// shown as that: the end itself is judged by what the kernel says. Text of another program, one line each.

/** Since its start; null: nothing of that. */
export interface LastWords {
  readonly errno: number | null;
  readonly busError: string | null;
  readonly varlinkError: string | null;
  readonly status: string | null;
}

/** `ENOSPC (28)`, `the D-Bus error org.example.Full`. */
export const errorsIn = ({ errno, busError, varlinkError }: LastWords): readonly string[] => [
  ...(errno === null ? [] : [errnoInWords(errno)]),
  ...(busError === null ? [] : [`the D-Bus error ${busError}`]),
  ...(varlinkError === null ? [] : [`the Varlink error ${varlinkError}`]),
];

const errnoInWords = (errno: number): string => {
  const name = names[errno];
  return name === undefined ? `errno ${errno}` : `${name} (${errno})`;
};

/** Those of Linux that are the same on all of its machines but MIPS, Alpha, SPARC and PA-RISC. */
const names: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  5: 'EIO',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  16: 'EBUSY',
  17: 'EEXIST',
  19: 'ENODEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  27: 'EFBIG',
  28: 'ENOSPC',
  30: 'EROFS',
  32: 'EPIPE',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  101: 'ENETUNREACH',
  104: 'ECONNRESET',
  105: 'ENOBUFS',
  110: 'ETIMEDOUT',
  111: 'ECONNREFUSED',
  113: 'EHOSTUNREACH',
  116: 'ESTALE',
  122: 'EDQUOT',
};
