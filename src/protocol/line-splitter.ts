// Bytes of a stream into lines, none longer than is allowed: a program that never ends its line fills no memory. Pure but for
// what it has not got the end of. It must not know what stands in a line.

const NEWLINE = 10;

export class LineSplitter {
  readonly #longest: number;
  #rest: Buffer[] = [];
  #length = 0;

  /** In bytes, without the end of the line. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The lines that end in this piece; null: one is too long, and nothing more is to be expected of who sends it. */
  take(piece: Buffer): readonly string[] | null {
    const lines: string[] = [];
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      if (!this.#keep(piece.subarray(from, end))) return null;
      const line = Buffer.concat(this.#rest).toString('utf8').trimEnd();
      if (line !== '') lines.push(line);
      this.#rest = [];
      this.#length = 0;
      from = end + 1;
    }
    return this.#keep(piece.subarray(from)) ? lines : null;
  }

  #keep(piece: Buffer): boolean {
    this.#length += piece.length;
    if (this.#length > this.#longest) return false;
    // A copy: a small piece must not keep the whole buffer that it came in.
    if (piece.length > 0) this.#rest.push(Buffer.from(piece));
    return true;
  }
}
