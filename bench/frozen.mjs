// Restart latency while the file system of Upkeep's state and logs is frozen, against the same one thawed. Blocks of
// both take turns.
import { Contender } from './contender.mjs';
import { measureLatency } from './latency.mjs';
import { mountDisk } from './place.mjs';
import { run } from './programs.mjs';

const DISK = '/bench-frozen';

/** @returns {Promise<{normal: object, frozen: object} | string>} samples and losses of both, or why there are none */
export async function measureFrozen(peer, ground, blocks, count) {
  mountDisk(DISK, '256M');
  const contender = new Contender({ peer, kind: 'plain', count, name: 'frozen', disk: DISK }, ground);
  try {
    const problem = await contender.up(60_000);
    if (problem !== null) return problem;
    const normal = { samples: [], lost: [] };
    const frozen = { samples: [], lost: [] };
    for (let block = 0; block < blocks; block++) {
      await strikeAll(contender, ground.stamps, count, normal);
      run(['fsfreeze', '--freeze', DISK]);
      try {
        await strikeAll(contender, ground.stamps, count, frozen);
      } finally {
        run(['fsfreeze', '--unfreeze', DISK]);
      }
      if (frozen.lost.length > 0) break;
    }
    return { normal, frozen };
  } finally {
    await contender.down();
  }
}

async function strikeAll(contender, stamps, count, into) {
  const result = (await measureLatency([contender], stamps, count)).get(contender);
  into.samples.push(...result.samples);
  into.lost.push(...result.lost);
}
