// What anybody would write who polls many URLs from Node: a timer and a fetch for each, its first at a random time. It judges the
// status, and nothing else. `heartbeat-polling.mjs FILE`: the URLs, and how often in milliseconds.
import { readFileSync } from 'node:fs';

const { urls, every } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const health = new Map();

async function ask(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.body?.cancel();
    health.set(url, response.ok);
  } catch {
    health.set(url, false);
  }
}

for (const url of urls) {
  const phase = Math.random() * every;
  setTimeout(() => {
    void ask(url);
    setInterval(() => void ask(url), every);
  }, phase);
}
