// Loaded into the measured keeper by NODE_OPTIONS, because some things cannot be seen from outside:
//   SIGPWR   a full garbage collection, so that memory can be read without garbage
//   SIGURG   with BENCH_DELAY set: the longest and the 99.9th percentile of the loop's delays since the last time,
//            in nanoseconds, as a line appended to that file
//   and with BENCH_ACCEPTS set it appends to that file, in nanoseconds, when the keeper told a new generation to accept
// Until a signal comes nothing of it runs, save that BENCH_DELAY looks at the clock every millisecond.
const { appendFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { isMainThread } = require('node:worker_threads');

const RESOLUTION_MS = 1;

if (isMainThread) {
  process.on('SIGPWR', () => {
    require('node:v8').setFlagsFromString('--expose-gc');
    const collect = require('node:vm').runInNewContext('gc');
    collect();
    collect();
  });
  const accepts = process.env.BENCH_ACCEPTS;
  if (accepts !== undefined) {
    const { Socket } = require('node:net');
    const { write } = Socket.prototype;
    Socket.prototype.write = function stamped(text, ...more) {
      if (typeof text !== 'string' || !text.includes('"do":"accept"')) return write.call(this, text, ...more);
      const written = write.call(this, text, ...more);
      appendFileSync(accepts, `${process.hrtime.bigint()}\n`);
      return written;
    };
  }
  const file = process.env.BENCH_DELAY;
  if (file !== undefined) {
    const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delays.enable();
    process.on('SIGURG', () => {
      // Each sample holds the millisecond that was waited for on purpose.
      const beyond = [delays.max, delays.percentile(99.9)].map((value) => Math.max(0, value - RESOLUTION_MS * 1e6));
      delays.reset();
      appendFileSync(file, `${beyond.join(' ')}\n`);
    });
  }
}
