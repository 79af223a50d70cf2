// What an asker has become: read back from the kernel before anything is asked, and tried whether there is a way back. An asker
// that is not whom it was to be asks nothing. It must not know how it was started.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from '../core/error-text.js';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** `none`: and in no other group. `kept`: those of a keeper that is not root, who cannot leave them. */
  readonly groups: 'none' | 'kept';
}

/** In words; null: it is that, and can be nothing else any more. */
export function whyNot(wanted: Identity): string | null {
  return (
    problemOf(readFileSync('/proc/self/status', 'latin1'), wanted) ??
    wayBack() ??
    problemOfDescriptors(readdirSync('/proc/self/fd').flatMap(descriptor))
  );
}

/** `status`: as in /proc/PID/status. */
export function problemOf(status: string, { uid, gid, groups }: Identity): string | null {
  const values = (name: string): readonly string[] =>
    new RegExp(`^${name}:(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/).filter(Boolean) ?? [];
  // Real, effective, saved, and that for files.
  const isAll = (name: string, id: number): boolean =>
    values(name).length === 4 && values(name).every((one) => Number(one) === id);
  if (uid === 0) return 'it is to be root';
  if (!isAll('Uid', uid)) return `its user is ${values('Uid').join(', ')} instead of ${uid}`;
  if (!isAll('Gid', gid)) return `its group is ${values('Gid').join(', ')} instead of ${gid}`;
  const others = values('Groups').filter((one) => Number(one) !== gid);
  if (groups === 'none' && others.length > 0) return `it is in the groups ${others.join(', ')} too`;
  const kept = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].find((name) => !/^0+$/.test(values(name).join('')));
  if (kept !== undefined) return `it has capabilities (${kept} ${values(kept).join('')})`;
  if (values('NoNewPrivs').join('') !== '1') return 'programs that it starts may get more rights (NoNewPrivs is not 1)';
  return null;
}

/** Tries to become root again. */
function wayBack(): string | null {
  const tries = [
    ['setuid', () => process.setuid?.(0)],
    ['setgid', () => process.setgid?.(0)],
    ['setgroups', () => process.setgroups?.([0])],
  ] as const;
  for (const [name, attempt] of tries) {
    try {
      attempt();
      return `it could go back to the rights of root (${name})`;
    } catch (error) {
      if (errorCode(error) !== 'EPERM')
        return `it is not known whether it could go back (${name}: ${errorCode(error)})`;
    }
  }
  return null;
}

export interface Descriptor {
  readonly fd: number;
  readonly is: string;
}

/** Node's own are pipes to itself, event descriptors, and what every process may open. */
const NODES_OWN = /^(?:anon_inode:\[(?:eventfd|eventpoll|io_uring)\]|\/dev\/(?:null|u?random)|\/proc\/.*)$/;
const KEEPERS = /^(?:socket:|anon_inode:\[pidfd\]|\/)/;

/** Whatever the keeper has open beside our three would be a way to it. */
export function problemOfDescriptors(descriptors: readonly Descriptor[]): string | null {
  const inherited = descriptors.filter(({ fd, is }) => fd > 2 && !NODES_OWN.test(is));
  const isHalf = ({ is }: Descriptor): boolean =>
    is.startsWith('pipe:') && inherited.filter((other) => other.is === is).length === 1;
  const stranger = inherited.find((one) => KEEPERS.test(one.is) || isHalf(one));
  return stranger === undefined ? null : `descriptor ${stranger.fd} is not its own (${stranger.is})`;
}

function descriptor(name: string): readonly Descriptor[] {
  try {
    return [{ fd: Number(name), is: readlinkSync(`/proc/self/fd/${name}`) }];
  } catch {
    return []; // that of the directory which was read
  }
}
