// The wish of seed 003 for real: a web service that is asked by HTTP whether it does its work, by somebody without rights. One that hangs
// is healed by a restart; what could not be asked (125) restarts nothing, and is told.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';

/** A port of this process's own, below the range from which the kernel takes the others. */
const port = 20_000 + ((process.pid + 6_500) % 9_000);

/** Answers `/browse/` until it is asked for `/hang`: from then on it accepts connections, and says nothing. */
const server = `
  let hangs = false;
  require('node:http').createServer((request, response) => {
    if (request.url === '/hang') { hangs = true; response.end(); return; }
    if (!hangs) response.end('<html>my music</html>');
  }).listen(${port}, '127.0.0.1');
`;

const web = {
  run: [process.execPath, '-e', server],
  ready: { port },
  stop: { signal: 'SIGTERM', wait: '1s' },
};

const asked = {
  http: `http://localhost:${port}/browse/`,
  every: '500ms',
  timeout: '1s',
  grace: '1s',
  fails: '2 in a row',
};

const healthOf = async (home: Home): Promise<string> => (await home.service('web')).health.state;

describe('seed 003', () => {
  it('heals a web service that hangs by a restart, and tells what it said last', async () => {
    const home = newHome();
    home.configure({ web: { ...web, heartbeat: asked } });
    await home.start();
    const first = await home.running('web');
    await home.until('it is asked, and well', async () => (await healthOf(home)) === 'ok');
    await fetch(`http://127.0.0.1:${port}/hang`);
    const second = await home.running('web', first);
    await home.until('it is well again', async () => (await healthOf(home)) === 'ok');
    const { lastDeath, restarts, generation } = await home.service('web');
    expect(lastDeath).toMatchObject({ cause: 'heartbeat', pid: first, signal: 'SIGTERM' });
    expect(lastDeath?.text).toMatch(
      /^failed its heartbeat http \(no answer within 1 s.*\), stopped by us \(SIGTERM\)$/,
    );
    expect({ restarts: restarts.total, generation, pid: second }).toMatchObject({ restarts: 1, generation: 2 });
  });

  it('heals one that was stopped by SIGSTOP, which answers nobody and ends only by SIGKILL', async () => {
    const home = newHome();
    home.configure({ web: { ...web, heartbeat: asked } });
    await home.start();
    const first = await home.running('web');
    await home.until('it is asked, and well', async () => (await healthOf(home)) === 'ok');
    process.kill(first, 'SIGSTOP');
    await home.running('web', first);
    expect((await home.service('web')).lastDeath?.cause).toBe('heartbeat');
  });

  it('restarts nothing when it could not ask (125), and tells that once; a 1 is another matter', async () => {
    const home = newHome();
    const asking = { exec: ['sh', '-c', 'echo "no idea"; exit 125'], every: '500ms', grace: '0s', fails: '2 in a row' };
    home.configure({ web: { ...web, heartbeat: asking } });
    await home.start();
    const first = await home.running('web');
    const said = async (what: string): Promise<number> => {
      const { stdout } = await home.upkeep('history', 'web', '--json');
      const { entries } = JSON.parse(stdout) as { readonly entries: readonly { readonly what: string }[] };
      return entries.filter((one) => one.what === what).length;
    };
    await home.until('it was asked three times', async () => {
      const [heartbeat] = (await home.service('web')).health.heartbeats;
      return (heartbeat?.answers.length ?? 0) >= 3;
    });
    expect(await said('unasked')).toBe(1);
    expect(await home.service('web')).toMatchObject({
      ...{ state: 'running', generation: 1, process: { pid: first } },
      health: { state: 'unknown' },
    });

    home.configure({ web: { ...web, heartbeat: { ...asking, exec: ['sh', '-c', 'exit 1'] } } });
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.running('web', first);
    expect((await home.service('web')).lastDeath?.cause).toBe('heartbeat');
  });

  it('starts a service that counts as ready when a heartbeat is good, and not before', async () => {
    const home = newHome();
    const slow = `setTimeout(() => { ${server} }, 700);`;
    home.configure({ web: { ...web, run: [process.execPath, '-e', slow], ready: 'heartbeat', heartbeat: asked } });
    await home.start();
    await home.running('web');
    expect((await fetch(`http://127.0.0.1:${port}/browse/`)).status).toBe(200);
    expect(await home.service('web')).toMatchObject({ generation: 1, restarts: { total: 0 } });
  });

  it('has somebody ask who has given up every right', async () => {
    const home = newHome();
    home.configure({ web: { ...web, heartbeat: asked } });
    const keeper = await home.start();
    await home.until('it is asked, and well', async () => (await healthOf(home)) === 'ok');
    const [asker] = askersOf(keeper.pid);
    const isRoot = process.getuid?.() === 0;
    const nobody = (readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+)/m) ?? []).slice(1);
    const [uid, gid] = isRoot ? nobody : [String(process.getuid?.()), String(process.getgid?.())];
    expect(asker).toMatchObject({
      Uid: [uid, uid, uid, uid].join('\t'),
      Gid: [gid, gid, gid, gid].join('\t'),
      ...(isRoot ? { Groups: '', CapPrm: '0000000000000000', CapEff: '0000000000000000' } : {}),
      NoNewPrivs: '1',
    });
  });
});

/** The lines of /proc/PID/status of the askers that are children of this process. */
function askersOf(parent: number): readonly Readonly<Record<string, string>>[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const isAsker = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('asker.js');
        const facts = Object.fromEntries(
          status.split('\n').map((line) => line.split(':\t').map((part) => part.trim()) as [string, string]),
        );
        return isAsker && facts.PPid === String(parent) ? [facts] : [];
      } catch {
        return [];
      }
    });
}
