// The lines of one message of sd_notify(3): KEY=VALUE, no trimming, keys as they are written. Of several lines with one key
// the first counts. It must not know what any key means.

/** Text in which each character is one byte of the message: what of it is to be UTF-8 is checked by whoever reads that field. */
export class Lines {
  readonly #lines: readonly string[];

  constructor(text: string) {
    // systemd splits at CR too: a sender that ends its lines with CR LF says what it means.
    this.#lines = text.split(/[\r\n]/).filter((line) => line !== '');
  }

  get count(): number {
    return this.#lines.length;
  }

  /** A flag is that very line: READY=yes is none. */
  has(line: string): boolean {
    return this.#lines.includes(line);
  }

  /** null: no line has that key. */
  first(key: string): string | null {
    const before = `${key}=`;
    const line = this.#lines.find((one) => one.startsWith(before));
    return line === undefined ? null : line.slice(before.length);
  }
}
