// What /proc tells of processes: who descends from whom, memory, processor time, wake-ups.
import { readdirSync, readFileSync } from 'node:fs';

function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null; // it has ended, or was never there
  }
}

/** The fields of /proc/PID/stat that matter here. The name may hold spaces and parentheses: split after the last. */
function stat(pid) {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  const close = text.lastIndexOf(')');
  const rest = text.slice(close + 2).split(' ');
  return { pid, name: text.slice(text.indexOf('(') + 1, close), state: rest[0], parent: Number(rest[1]) };
}

export function isAlive(pid) {
  const found = stat(pid);
  return found !== null && found.state !== 'Z';
}

/** All processes below `root`, itself included, save the services and what is below them. */
export function keepersOwn(root) {
  const children = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const found = stat(Number(entry));
    if (found === null) continue;
    const siblings = children.get(found.parent);
    if (siblings === undefined) children.set(found.parent, [found]);
    else siblings.push(found);
  }
  const own = [];
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    own.push(pid);
    for (const child of children.get(pid) ?? []) {
      // Our service program is called stamp, stamp-3 or stamp.pl.
      if (!child.name.startsWith('stamp')) open.push(child.pid);
    }
  }
  return own;
}

/** Children of one process as the kernel lists them. */
export function childrenOf(pid) {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '').trim().split(' ').filter(Boolean).map(Number);
}

/** The number a process has in its innermost PID namespace. */
export function innermostPid(pid) {
  const line = read(`/proc/${pid}/status`)?.match(/^NSpid:(.*)$/m)?.[1];
  return line === undefined ? null : Number(line.trim().split(/\s+/).at(-1));
}

/** Proportional memory of all of them together, in KiB. */
export function memoryKiB(pids) {
  let sum = 0;
  for (const pid of pids) {
    sum += Number(read(`/proc/${pid}/smaps_rollup`)?.match(/^Pss:\s+(\d+)/m)?.[1] ?? 0);
  }
  return sum;
}

/** Processor time in nanoseconds, and how often a thread went to sleep by itself: each was woken before. */
export function spent(pids) {
  let processor = 0;
  let wakeups = 0;
  for (const pid of pids) {
    let tasks;
    try {
      tasks = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    for (const task of tasks) {
      processor += Number(read(`/proc/${pid}/task/${task}/schedstat`)?.split(' ')[0] ?? 0);
      wakeups += Number(
        read(`/proc/${pid}/task/${task}/status`)?.match(/^voluntary_ctxt_switches:\s+(\d+)/m)?.[1] ?? 0,
      );
    }
  }
  return { processor, wakeups };
}

/** Of a process and of all that it started, also of those that have ended: processor time in nanoseconds, to 10 ms. */
export function spentWithEnded(root) {
  const fields = read(`/proc/${root}/stat`)?.replace(/^.*\)/s, '').trim().split(' ') ?? [];
  const ended = (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * 1e7;
  return ended + spent(keepersOwn(root)).processor;
}
