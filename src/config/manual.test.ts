import { describe, expect, it } from 'vitest';
import { configOf, warningsOf } from '../../test/support/configuration.js';

// The examples of the manual as they stand there.

const RESTART = `
services:
  web:
    run: x
    restart:                 # in full, with the defaults
      when: always
      delay: 100ms           # first delay, counted from start to start: what has lived longer comes back at once
      backoff: { factor: 2, max: 30s, jitter: 10% }
      healthyAfter: 30s      # alive and healthy that long: the delay begins anew (never the limit's window)
      limit: 10 in 5m        # ten restarts are done, the eleventh is not; or none
      then: slow             # slow: state failed, one quiet try every \`slowEvery\` for ever | give-up: failed until told
      slowEvery: 1m
      successExit: []        # beside 0, SIGHUP, SIGINT, SIGTERM, SIGPIPE
      preventExit: []        # codes or signals after which it stays down
      alwaysAfter: []        # codes or signals after which it is started again whatever \`when\` says, uncounted: an agreed restart code
`;

const COUPLING = `
services:
  litewitness:
    run: litewitness -listen localhost:7380 -ssh-agent /run/witness/agent.sock
    needs: [tkey-ssh-agent]
  tkey-ssh-agent:
    run: tkey-ssh-agent -a /run/witness/agent.sock
    restartWith: [litewitness]         # whenever litewitness ends, for any reason, this is restarted gracefully
    directories: { /run/witness: { mode: "0750" } }
    clean: [/run/witness/agent.sock]
`;

const GRACEFUL = `
services:
  web:
    run: node --import @upkeep/service/auto server.js      # or any program that knows LISTEN_FDS and READY=1
    sockets: { http: "0.0.0.0:80", admin: { listen: /run/web/admin.sock, mode: "0660" } }
    fdStore: 16
    watchdog: 30s
    ready: notify
    handover: { mode: overlap, transfer: 10s, drain: 60s, maxDraining: 1 }     # default: replace (stop, then start; sockets and store kept)
`;

const HEARTBEAT = `
services:
  web:
    run: x
    heartbeat:
      http: http://localhost:8080/browse/
      method: GET
      expect: { status: 200-399 }   # body: REGEX, header: {name: REGEX}
      every: 30s                    # or a cron expression
      timeout: 5s
      grace: 10s                    # from the process's start; the first success ends it
      fails: 3 in a row             # an integer, or "3 of 5"
      then: restart                 # or notice | stop | {exec: COMMAND}
`;

describe('the examples of the manual', () => {
  it('of restarting, in full with the defaults, are what counts where nothing is said', () => {
    expect(configOf(RESTART).specs[0]?.restart).toEqual(configOf('services: { web: { run: x } }\n').specs[0]?.restart);
  });

  it.each(['always', 'on-failure', 'on-abnormal', 'on-abort', 'on-watchdog', 'on-success', 'never'])(
    'of restarting in a word: %s',
    (when) => {
      expect(configOf(`services: { web: { run: x, restart: ${when} } }\n`).specs[0]?.restart.when).toBe(when);
    },
  );

  it('of coupling: a ring of needs and restartWith is fine', () => {
    const [witness, agent] = configOf(COUPLING).specs;
    expect(witness?.coupling).toEqual({
      needs: [{ service: 'tkey-ssh-agent', grace: 0, onReload: 'nothing' }],
      wants: [],
      after: [],
      restartWith: [],
    });
    expect(agent?.coupling).toEqual({ needs: [], wants: [], after: [], restartWith: ['litewitness'] });
    expect(agent?.directories).toEqual([{ path: '/run/witness', mode: 0o750 }]);
    expect(agent?.clean).toEqual(['/run/witness/agent.sock']);
    expect(warningsOf(COUPLING)).toEqual([]);
  });

  it('of graceful restarts: sockets, stored descriptors, a watchdog and an overlap', () => {
    const [web] = configOf(GRACEFUL).specs;
    expect(web).toMatchObject({
      sockets: [
        { name: 'http', address: { type: 'tcp', host: '0.0.0.0', port: 80 } },
        { name: 'admin', address: { type: 'stream', path: '/run/web/admin.sock', mode: 0o660 } },
      ],
      fdStore: 16,
      watchdog: 30_000,
      ready: { probe: { type: 'notify' } },
      handover: { mode: 'overlap', transfer: 10_000, drain: 60_000, maxDraining: 1, pidFile: null },
      notifyAccess: 'main',
    });
    expect(warningsOf(GRACEFUL)).toEqual([]);
  });

  it('of heartbeats, with the defaults, is what counts where only the URL is said', () => {
    const [written] = configOf(HEARTBEAT).specs;
    const [short] = configOf(
      'services: { web: { run: x, heartbeat: { http: "http://localhost:8080/browse/" } } }\n',
    ).specs;
    expect(written?.heartbeats).toEqual(short?.heartbeats);
    expect(written?.heartbeats).toHaveLength(1);
  });
});
