// Loaded into the measured keeper: at SIGPWR, a full garbage collection, so that memory can be read without garbage.
const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  process.on('SIGPWR', () => {
    require('node:v8').setFlagsFromString('--expose-gc');
    const collect = require('node:vm').runInNewContext('gc');
    collect();
    collect();
  });
}
