// The promise: what an old generation says after another has taken over is nobody's word any more, whoever may speak for the service.

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FdsDocument } from '../../src/core/status.js';
import { newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

/** Each generation says which it is; told to end it says all that could do harm, once and again, until it may end. */
const talker = (directory: string): readonly string[] => [
  '/usr/bin/python3',
  '-c',
  `
import array, os, signal, socket, subprocess, sys, time
generation, pid = os.environ["UPKEEP_GENERATION"], os.getpid()
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
out.connect(os.environ["NOTIFY_SOCKET"])
def say(text, fds=()):
    extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    out.sendmsg([text.encode()], extra)
def store(name):
    fd = os.memfd_create(name); say("FDSTORE=1\\nFDNAME=" + name, [fd]); os.close(fd)
def late(*_):
    child = subprocess.Popen(["sleep", "infinity"])
    for i in range(5):
        say("STATUS=I am the old one")
        store("late")
        say("FDSTOREREMOVE=1\\nFDNAME=kept" + str(int(generation) + 1))
        say("MAINPID=%d" % pid); say("MAINPID=%d" % child.pid)
        say("ERRNO=5\\nWATCHDOG_USEC=1\\nWATCHDOG=trigger")
        say("NOTIFYACCESS=none")
        say("STOPPING=1")
        if generation == "1": subprocess.run(["systemd-notify", "--stopping", "--status=by a child"], check=False) if os.path.exists("/usr/bin/systemd-notify") else None
        open("${directory}/said-%s-%d" % (generation, i), "w").close()
    child.kill()
    while not os.path.exists("${directory}/go"): time.sleep(0.02)
    sys.exit(0)
signal.signal(signal.SIGTERM, late)
store("kept" + generation)
say("READY=1\\nSTATUS=generation " + generation)
while True: signal.pause()
`,
];

describe('an old generation', () => {
  it.each(['main', 'all'])(
    'that says STATUS, STOPPING, MAINPID and FDSTORE after the commit changes nothing, with notify: %s (graceful D15, A11)',
    async (notify) => {
      const home = newHome();
      home.configure({
        web: {
          run: talker(home.path),
          ready: 'notify',
          notify,
          fdStore: 8,
          watchdog: '1h',
          handover: { mode: 'overlap', drain: '10m' },
        },
      });
      await home.start();
      const old = await home.running('web');
      expect((await home.upkeep('restart', 'web')).code).toBe(0);
      const fresh = await home.running('web', old);
      await home.until('it has said all', () => existsSync(home.at('said-1-4')));
      // What comes after it on the same socket is heard after it.
      const { stdout } = await home.upkeep('fds', 'web', '--json');
      const { descriptors } = JSON.parse(stdout) as FdsDocument;
      expect(descriptors.map(({ name }) => name).sort()).toEqual(['kept1', 'kept2']);
      const now = await home.service('web');
      expect(now).toMatchObject({
        state: 'running',
        statusText: 'generation 2',
        restarts: { total: 0 },
        lastDeath: null,
      });
      expect(now.process?.pid).toBe(fresh);
      expect(now.draining).toMatchObject([{ pid: old, generation: 1 }]);
      home.write('go', '');
      await home.when('web', ({ draining }) => draining.length === 0);
      expect([isAlive(old), isAlive(fresh)]).toEqual([false, true]);
      expect(await home.service('web')).toMatchObject({ state: 'running', statusText: 'generation 2' });
    },
  );
});
