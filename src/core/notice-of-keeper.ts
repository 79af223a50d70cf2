// What there is to tell of the keeper itself, and with which command. Decides nothing but what nobody need be told of.

import { type Entry, entryId, type KeeperNews } from './entry.js';
import { describeNews } from './keeper-news.js';
import { type Notice, plainNotice } from './notice.js';
import type { Bulletin } from './notice-bulletin.js';
import { headline, sentence } from './notice-text.js';
import type { WallTime } from './time.js';

/** What happened to the keeper; null: nothing that anybody need be told of. */
export function aboutKeeper(entry: Entry, what: KeeperNews, at: WallTime): Bulletin | null {
  const commands = helpWith(what);
  if (commands === null) return null;
  const { text } = describeNews(what);
  const except = what.type === 'channelLost' || what.type === 'channelBack' ? [what.channel] : [];
  const notice = plainNotice({
    id: `${entryId(entry)}-keeper`,
    kind: 'keeper',
    label: 'KEEPER',
    time: at,
    headline: headline(text),
    story: [sentence(text)],
    commands,
  });
  return { pace: 'urgent', notice, tags: [], end: null, to: 'all', except };
}

function helpWith(what: KeeperNews): Notice['commands'] | null {
  switch (what.type) {
    case 'began':
      return what.before === null ? null : [{ command: 'upkeep status --keeper', does: 'shows how the keeper is' }];
    case 'troubled':
      return [{ command: 'upkeep status --keeper', does: 'shows how the keeper is' }];
    case 'rejected':
      return [{ command: 'upkeep check', does: 'shows all that is wrong with the configuration' }];
    case 'channelLost':
      return [
        { command: `upkeep notice --test ${what.channel}`, does: 'tries it, and shows what the other side answers' },
      ];
    case 'channelBack':
      return [];
    case 'ended':
    case 'applied':
    case 'acked':
      return null;
  }
}
