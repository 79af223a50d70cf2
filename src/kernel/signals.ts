// Signals to processes whose identity is certain: by pidfd, which cannot hit a stranger, or after comparing start times.
// Never to pid 1 and below, to ourselves, or to our own group.

import type { ProcessRef, SignalName } from '../core/process.js';
import type { Features } from './features.js';
import { identifyAgain, readStat } from './identity.js';
import { reserve } from './reserve.js';
import { signalNumber } from './signal-number.js';
import { close, exists, getpgid, kill, pidfdSendSignal, SystemCallFailure } from './syscalls.js';

/** Sends it if this very process is there. Who is gone needs no signal: `gone` is no error. @throws SystemCallFailure: EPERM */
export function signalProcess(process: ProcessRef, signal: SignalName, features: Features): 'sent' | 'gone' {
  const number = signalNumber(signal);
  if (number === null || !isFairGame(process.pid)) return 'gone';
  return reserve.lend(() => sendTo(process, number, features));
}

function sendTo(process: ProcessRef, number: number, features: Features): 'sent' | 'gone' {
  const found = identifyAgain(process, features);
  if (found === null) return 'gone';
  try {
    if (found.pidfd === null) kill(process.pid, number);
    else pidfdSendSignal(found.pidfd, number);
    return 'sent';
  } catch (error) {
    if (error instanceof SystemCallFailure && error.errno === 'ESRCH') return 'gone';
    throw error;
  } finally {
    if (found.pidfd !== null) close(found.pidfd);
  }
}

/** The whole group of a leader that we started ourselves; only where it does lead a group of its own. @throws SystemCallFailure: EPERM */
export function signalGroup(leader: ProcessRef, signal: SignalName, features: Features): 'sent' | 'gone' {
  const stat = readStat(leader.pid);
  const isItself = stat !== null && stat.startTicks === leader.startTicks;
  if (!isItself || stat.pgrp !== leader.pid) return signalProcess(leader, signal, features);
  return signalGroupOf(leader.pid, signal);
}

/** The group of this number, whose leader may be dead: the number stays taken as long as a member lives (setpgid(2)). */
export function signalGroupOf(pgid: number, signal: SignalName): 'sent' | 'gone' {
  const number = signalNumber(signal);
  if (number === null || !isFairGame(pgid)) return 'gone';
  return send(-pgid, number);
}

/** Is nobody in this group? Zombies count until they are reaped. */
export function isGroupEmpty(pgid: number): boolean {
  return !isFairGame(pgid) || !exists(-pgid);
}

function send(target: number, number: number): 'sent' | 'gone' {
  try {
    kill(target, number);
    return 'sent';
  } catch (error) {
    if (error instanceof SystemCallFailure && error.errno === 'ESRCH') return 'gone';
    throw error;
  }
}

function isFairGame(pid: number): boolean {
  return Number.isInteger(pid) && pid > 1 && pid !== process.pid && pid !== ownGroup;
}

const ownGroup = getpgid(0);
