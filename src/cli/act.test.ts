import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { begin, openKeeper } from '../../test/support/command-line.js';
import { processRef, running, starting, stopped } from '../../test/support/fake-keeper.js';
import type { What } from '../core/change.js';
import { failedStart } from '../core/death.js';
import { type Handover, silent } from '../core/state.js';
import { instant, millis, wallTime } from '../core/time.js';

const refused = failedStart('spawn', { type: 'unknown' }, 'ENOENT', 'there is no /srv/web', {
  instant: instant(1),
  wall: wallTime(1),
  random: 0,
});

describe('an act', () => {
  it('waits by default, and prints a line for each service', async () => {
    const keeper = await openKeeper({
      onAsk: (_ask, name, to) => {
        to.move(name, starting());
        setTimeout(() => to.move(name, running(900), { type: 'stopped' }), 20);
      },
    });
    keeper.put(supervised({ name: 'web' }), stopped());
    keeper.put(supervised({ name: 'worker' }), stopped());
    const { ended, terminal } = begin('start web worker --reason because', keeper);
    expect(await ended).toBe(0);
    expect(terminal.printed()).toBe('web     running (pid 900)\nworker  running (pid 900)\n');
    expect(keeper.asked.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'web', ask: { verb: 'start', reason: 'because' } },
      { name: 'worker', ask: { verb: 'start', reason: 'because' } },
    ]);
  });

  it('waits for many at once without a word of its own program', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `web-${index}`);
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, starting()) });
    for (const name of names) keeper.put(supervised({ name }), stopped());
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): unknown => warnings.push(message);
    process.on('warning', onWarning);
    const { ended } = begin('start web-* --timeout 500ms', keeper);
    expect(await ended).toBe(5);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('ends with 1 and the reason on stderr where one of several fails', async () => {
    const keeper = await openKeeper({
      onAsk: (_ask, name, to) =>
        name === 'web'
          ? to.move(name, stopped('no-start'), { type: 'startFailed', death: refused, next: { type: 'start' } })
          : to.move(name, running(900)),
    });
    keeper.put(supervised({ name: 'web' }), stopped());
    keeper.put(supervised({ name: 'db' }), stopped());
    const { ended, terminal } = begin('start --all', keeper);
    expect(await ended).toBe(1);
    expect(terminal.printed()).toBe('db  running (pid 900)\n');
    expect(terminal.complained()).toMatch(/^upkeep: web: start failed: .*there is no \/srv\/web\n$/);
  });

  it('ends with 5 at its timeout, and says that it goes on', async () => {
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, starting()) });
    keeper.put(supervised({ name: 'web' }), stopped());
    const { ended, terminal } = begin('start web --timeout 50ms', keeper);
    expect(await ended).toBe(5);
    expect(terminal.complained()).toBe('upkeep: web: not done within 50ms, and goes on: starting\n');
  });

  it('goes on after Ctrl-C, which ends the watching and says so', async () => {
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, starting()) });
    keeper.put(supervised({ name: 'web' }), stopped());
    const { ended, terminal } = begin('start web', keeper);
    await expect.poll(() => keeper.asked.length, { timeout: 10_000 }).toBe(1);
    terminal.interrupt();
    expect(await ended).toBe(5);
    expect(terminal.complained()).toBe('upkeep: no longer watching; start of web goes on, see `upkeep status`\n');
  });

  it('asks and goes away with --no-wait', async () => {
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, starting()) });
    keeper.put(supervised({ name: 'web' }), stopped());
    const { ended, terminal } = begin('restart web --no-wait', keeper);
    expect(await ended).toBe(0);
    expect(terminal.printed()).toBe('web  asked to restart\n');
  });

  it('prints its operations as JSON, and nothing else on stdout', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), stopped());
    const { ended, terminal } = begin('start web --json', keeper);
    expect(await ended).toBe(0);
    expect(JSON.parse(terminal.printed())).toEqual({
      version: 1,
      operations: [{ service: 'web', verb: 'start', id: '1', progress: { type: 'done', text: 'running (pid 900)' } }],
    });
  });

  it('shows on a terminal how far it is, and takes the line away at the end', async () => {
    const keeper = await openKeeper({
      onAsk: (_ask, name, to) => {
        to.move(name, starting());
        setTimeout(() => to.move(name, running(900)), 300);
      },
    });
    keeper.put(supervised({ name: 'web' }), stopped());
    const { ended, terminal } = begin('start web', keeper, { colours: 'yes', columns: 80 });
    expect(await ended).toBe(0);
    const written = terminal.complained().split('\r\u001b[K');
    expect(written[0]).toBe('');
    expect(written[1]).toMatch(/^start: web/);
    expect(written.at(-1)).toBe('');
    expect(terminal.printed()).toBe('web  \u001b[32mrunning (pid 900)\u001b[39m\n');
  });

  it('shows each phase of a hand-over on a terminal as it comes, and ends with both pids', async () => {
    const [old, next] = [processRef(812), processRef(913)];
    const phase = { type: 'handoverPhase', process: next, bytes: null } as const;
    const handover: Handover = {
      ...{ name: 'handover', since: instant(0), process: old, servedSince: instant(0), generation: 2, successor: next },
      ...{ phase: 'warming', hook: 0, helper: null, said: silent, still: null, why: 'requested', deadline: null },
    };
    const phases: readonly (readonly [What, string])[] = [
      [{ type: 'handingOver', why: 'requested', generation: 2 }, 'generation 2 of web is started beside the old one'],
      [{ ...phase, phase: 'launched' }, 'restart: web; the new generation of web is started as pid 913'],
      [{ ...phase, phase: 'transfer' }, 'restart: web; the state of web goes over'],
      [{ ...phase, phase: 'received', bytes: 12_288 }, 'restart: web; 12 KiB of state of web went over'],
      [{ ...phase, phase: 'ready' }, 'restart: web; the new generation of web is ready'],
    ];
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, handover) });
    keeper.put(supervised({ name: 'web' }), running(812));
    const { ended, terminal } = begin('restart web', keeper, { colours: 'yes', columns: 120 });
    for (const [what, text] of phases) {
      // Said again until it is heard: the command listens a moment after it has asked.
      const shown = (): string => {
        keeper.move('web', handover, what);
        return terminal.complained();
      };
      await expect.poll(shown, { timeout: 30_000 }).toContain(text);
    }
    keeper.move('web', running(913), { type: 'committed', from: old, to: next, took: millis(84) });
    expect(await ended).toBe(0);
    expect(terminal.printed()).toContain(
      'running (pid 913), was pid 812; 84 ms; 12 KiB of state went over; pid 812 finishes what it has begun',
    );
  });

  it('sends along how long a stop lasts', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), running(812));
    expect(await begin('stop web --until-boot', keeper).ended).toBe(0);
    expect(await begin('stop web --for 2h', keeper).ended).toBe(0);
    expect(keeper.asked.map(({ ask }) => ask)).toMatchObject([
      { verb: 'stop', lasts: 'boot', until: null },
      { verb: 'stop', lasts: 'always', until: expect.any(Number) },
    ]);
  });

  it('sends a signal to one service', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), running(812));
    const { ended, terminal } = begin('signal web hup', keeper);
    expect(await ended).toBe(0);
    expect(terminal.printed()).toBe('web  signal sent\n');
    expect(keeper.asked).toEqual([{ name: 'web', ask: { verb: 'signal', signal: 'SIGHUP' } }]);
  });

  it('is refused to who may only read, with exit code 1 and the reason', async () => {
    const keeper = await openKeeper({ uid: 1000 });
    keeper.put(supervised({ name: 'web' }), running(812));
    const { ended, terminal } = begin('stop web', keeper);
    expect(await ended).toBe(1);
    expect(terminal.complained()).toMatch(/^upkeep: web: stop failed: you \(uid 1000\) may read the status only/);
    expect(keeper.asked).toEqual([]);
  });

  it('says 4 when the keeper goes away meanwhile', async () => {
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, starting()) });
    keeper.put(supervised({ name: 'web' }), stopped());
    const { ended, terminal } = begin('start web', keeper);
    await expect.poll(() => keeper.asked.length, { timeout: 10_000 }).toBe(1);
    keeper.hangUp();
    expect(await ended).toBe(4);
    expect(terminal.complained()).toBe(
      'upkeep: the keeper went away while it was asked to start web (it hung up); `upkeep status` says how it is\n',
    );
  });

  it.each([
    ['stop', '`upkeep stop` needs a NAME: a service, a glob, @tag, or --all'],
    ['stop nobody', 'there is no service nobody'],
    ['stop @front', 'no service has the tag front'],
    ['stop web --for 5', '--for: "5" has no unit; write 5s, 5ms or 5m'],
    ['stop web --for 1h --until-boot', '--for and --until-boot do not go together; give one of them'],
  ])('is not begun for wrong usage: %s', async (argv, sentence) => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), running(812));
    const { ended, terminal } = begin(argv, keeper);
    expect(await ended).toBe(2);
    expect(terminal.complained()).toBe(`upkeep: ${sentence}\n`);
    expect(keeper.asked).toEqual([]);
  });
});

describe('wait', () => {
  it('ends when the last of the services is ready, without asking in between', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), starting());
    keeper.put(supervised({ name: 'db' }), running(1));
    const { ended, terminal } = begin('wait web db', keeper, { colours: 'yes', columns: 80 });
    await expect.poll(terminal.complained, { timeout: 10_000 }).toMatch(/waiting for web \(starting\)/);
    keeper.move('web', running(900));
    expect(await ended).toBe(0);
  });

  it('ends with 5 at its timeout for what is on its way, and names it', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), starting());
    const { ended, terminal } = begin('wait web --timeout 100ms', keeper);
    expect(await ended).toBe(5);
    expect(terminal.complained()).toBe('upkeep: web is not ready: starting, waiting to become ready\n');
  });

  it('prints JSON with how the services are', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), running(1));
    const { ended, terminal } = begin('wait web --json', keeper);
    expect(await ended).toBe(0);
    expect(JSON.parse(terminal.printed())).toEqual({
      version: 1,
      for: 'ready',
      is: 'there',
      missing: [],
      services: keeper.status().services,
    });
  });

  it('does not wait for what only a person can bring back', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), {
      name: 'failed',
      since: instant(0),
      failure: { type: 'limit', count: 10 },
      deadline: null,
    });
    expect(await begin('wait web', keeper).ended).toBe(3);
  });

  it('does not miss what the configuration takes away, unless that was asked for by its name', async () => {
    const keeper = await openKeeper();
    for (const name of ['web', 'old', 'older']) keeper.put(supervised({ name }), starting());
    const all = begin('wait --all', keeper, { colours: 'yes', columns: 80 });
    const one = begin('wait old', keeper, { colours: 'yes', columns: 80 });
    await expect.poll(all.terminal.complained, { timeout: 10_000 }).toMatch(/old \(starting\)/);
    await expect.poll(one.terminal.complained, { timeout: 10_000 }).toMatch(/old \(starting\)/);
    keeper.drop('older');
    keeper.drop('old');
    expect(await one.ended).toBe(1);
    expect(one.terminal.complained()).toContain('upkeep: old was removed from the configuration\n');
    keeper.move('web', running(900));
    expect(await all.ended).toBe(0);
  });

  it('waits for a stop', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web', desired: 'down' }), running(812));
    const { ended, terminal } = begin('wait web --for stopped', keeper, { colours: 'yes', columns: 80 });
    await expect.poll(terminal.complained, { timeout: 10_000 }).toMatch(/waiting for web \(running\)/);
    keeper.move('web', stopped());
    expect(await ended).toBe(0);
  });

  it('says 2 for a goal that there is not', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web' }), running(812));
    const { ended, terminal } = begin('wait web --for gone', keeper);
    expect(await ended).toBe(2);
    expect(terminal.complained()).toBe('upkeep: --for gone: one waits for ready, healthy or stopped\n');
  });
});

describe('shutdown', () => {
  it('ends when the keeper no longer answers', async () => {
    const keeper = await openKeeper({
      govern: {
        shutdown: (body) => {
          setTimeout(() => keeper.hangUp(), 50);
          return { ending: true, body };
        },
      },
    });
    const { ended, terminal } = begin('shutdown --leave', keeper);
    expect(await ended).toBe(0);
    expect(terminal.printed()).toBe('the keeper (pid 801) has ended\n');
  });
});
