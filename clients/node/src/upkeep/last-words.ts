// What was said last of each thing, to be said again to a keeper that was away: it may not have heard it. Pure.

import type { Word } from '../handover-words.js';

/** What stays true until something else is said. */
const LASTING = ['READY', 'STOPPING', 'STATUS'];

export class LastWords {
  readonly #lasting = new Map<string, string>();

  keep(words: readonly string[]): void {
    for (const word of words) {
      const name = word.slice(0, word.indexOf('='));
      if (LASTING.includes(name)) this.#lasting.set(name, word);
    }
  }

  again(): readonly Word[] {
    const text = [...this.#lasting.values()].join('\n');
    return text === '' ? [] : [{ say: 'notify', text }];
  }
}
