// What a service has told so far by sd_notify, for the record of its end. Cleaned here, once: it is text of another program.

import type { LastWords } from './last-words.js';
import { oneLine } from './one-line.js';
import type { Service } from './state.js';
import { inWords } from './time.js';

/** undefined: nothing. */
export function lastWordsOf({ said }: Pick<Service, 'said'>): LastWords | undefined {
  const { errno, busError, varlinkError } = said;
  const status = statusSaid({ said });
  const words = { errno, busError: line(busError), varlinkError: line(varlinkError), status };
  return Object.values(words).every((word) => word === null) ? undefined : words;
}

/** Its last STATUS, as one line that nothing obeys; null: it says nothing. */
export const statusSaid = ({ said }: Pick<Service, 'said'>): string | null => line(said.status);

/** For cause `watchdog`: `did not say for 30 s that it lives`; null: it is not known any more. */
export function hangInWords({ said: { hung } }: Pick<Service, 'said'>): string | null {
  if (hung === null) return null;
  return hung.how === 'trigger' ? 'said that it hangs' : `did not say for ${inWords(hung.period)} that it lives`;
}

function line(text: string | null): string | null {
  const clean = oneLine(text ?? '', 200).trim();
  return clean === '' ? null : clean;
}
