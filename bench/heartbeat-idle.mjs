// How late anybody is on this machine now: a process of an asker's priority that has nothing to do but to look at the clock ten times a
// second. What an asker is later than that is its own. Spoken to over the channel of fork().
import { setPriority } from 'node:os';

const PACE_MS = 100;
/** Of askers (src/asker.ts). */
const NICE = 5;

let late = [];

function wait() {
  const due = Math.ceil((performance.now() + 1) / PACE_MS) * PACE_MS;
  setTimeout(() => {
    late.push(performance.now() - due);
    wait();
  }, due - performance.now());
}

setPriority(NICE);
process.on('message', () => {
  process.send(late);
  late = [];
});
process.once('disconnect', () => process.exit());
wait();
