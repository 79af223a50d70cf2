// The letter of `upkeep notice --test`: nothing has happened, and it says so.

import { type Letter, plainNotice } from '../core/notice.js';
import type { WallTime } from '../core/time.js';

export const testLetter = (id: string, channel: string, host: string, time: WallTime): Letter => ({
  id,
  channel,
  host,
  time,
  thread: null,
  notices: [
    plainNotice({
      id,
      kind: 'keeper',
      label: 'KEEPER',
      time,
      headline: `this is a test of the channel ${channel}`,
      story: [`Somebody has asked for it by \`upkeep notice --test ${channel}\`. Nothing has happened.`],
    }),
  ],
});
