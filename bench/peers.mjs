// The list of who is measured, in the order of the tables. Each file under peers/ tells how one keeper is set up,
// started, read and stopped; none of them measures anything.
//
// A peer is `{ name, packages?, npm?, kinds, missing(), version(), Keeper }`:
//   packages   from Debian, npm: from the registry
//   kinds      what it can do: 'plain' (a process that it starts), 'shell' (the same through a run script, as its
//              users write it), 'hardened' (as nobody, with limits and no new privileges), 'pidFile' and 'exe'
//              (a daemon that something else starts), 'layered' (each tells when it is ready, and is started when three
//              others are) and 'level' (the same that need nobody)
//   runsInNode whether it is written in JavaScript
//   missing()  why it cannot be measured here, or null
//   Keeper     `new Keeper(place)`, then prepare(services), launch() (gives the process whose failure
//              is the keeper's), and later pidOf(stamp), processes(), stop()
//
// A service is `{ name, kind, command, pidFile?, needs? }`; a place is `{ name, run, disk, fifo, node }`.
import { daemontools } from './peers/daemontools.mjs';
import { monit } from './peers/monit.mjs';
import { pm2 } from './peers/pm2.mjs';
import { runit } from './peers/runit.mjs';
import { s6 } from './peers/s6.mjs';
import { supervisor } from './peers/supervisor.mjs';
import { systemd } from './peers/systemd.mjs';
import { upkeep } from './peers/upkeep.mjs';

export const PEERS = [upkeep, runit, s6, daemontools, supervisor, pm2, systemd, monit];
