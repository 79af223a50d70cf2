// What happened to the keeper itself → the sentence for it, and how much it matters. The history and the notices both say it so.

import type { KeeperNews } from './entry.js';
import type { Message } from './message.js';
import { byWhom } from './person.js';

/** One sentence for people, without a full stop: it stands on a line of its own, without a name before it. */
export function describeNews(news: KeeperNews): Message {
  switch (news.type) {
    case 'began':
      return news.before === null
        ? { level: 'info', text: `the keeper began (pid ${news.pid}, version ${news.version})` }
        : { level: 'warning', text: `the keeper is back (pid ${news.pid}, version ${news.version}): ${news.before}` };
    case 'ended': {
      const services = news.how === 'leave' ? 'its services go on' : 'its services were stopped';
      return { level: 'notice', text: `the keeper was ended${byWhom(news.by)}, ${services}` };
    }
    case 'applied':
      return { level: 'notice', text: `${news.config} was applied${byWhom(news.by)}` };
    case 'rejected': {
      const [first = 'it is not valid', ...others] = news.problems;
      const more = others.length === 0 ? '' : `, and ${others.length} more; \`upkeep check\` says all`;
      // A problem names its file and line, which is enough where it is in this file.
      const problem = first.startsWith(`${news.config}:`) ? `line ${first.slice(news.config.length + 1)}` : first;
      const asked = news.by === null ? '' : `, which was asked for${byWhom(news.by)}`;
      return { level: 'error', text: `${news.config} was not applied${asked}: ${problem}${more}` };
    }
    case 'troubled':
      return { level: 'error', text: news.problem };
    case 'channelLost':
      return { level: 'error', text: `notices do not get through to ${news.channel}: ${news.reason}` };
    case 'channelBack':
      return { level: 'notice', text: `notices get through to ${news.channel} again` };
    case 'acked': {
      const about = news.service === null ? '' : ` of ${news.service}`;
      const why = news.reason === null ? '' : `: ${news.reason}`;
      return {
        level: 'notice',
        text: `incident ${news.incident}${about} was acknowledged${byWhom(news.by)}; no more reminders of it${why}`,
      };
    }
  }
}
