// The listening sockets that were opened for us by whoever started us (LISTEN_FDS, sd_listen_fds(3)). Checks what is said of
// them; listens on none.

/** One descriptor, and what it is called. */
export interface NamedDescriptor {
  readonly name: string;
  readonly fd: number;
}

/** The first descriptor that is passed, as sd_listen_fds(3) has it. */
const FIRST = 3;

/** None where they are meant for another process. @throws where there are not as many names as descriptors */
export function socketsIn(env: NodeJS.ProcessEnv, pid: number): readonly NamedDescriptor[] {
  const { LISTEN_FDS: number = '', LISTEN_PID: meant, LISTEN_FDNAMES: names } = env;
  // LISTEN_PID is of the process after exec. Ours came from a parent that forgot to take it away.
  if (!/^\d{1,6}$/.test(number) || meant !== String(pid)) return [];
  const count = Number(number);
  const parts = names === undefined ? Array<string>(count).fill('unknown') : names.split(':');
  if (parts.length !== count)
    throw new Error(
      `LISTEN_FDNAMES has ${parts.length} names and LISTEN_FDS says ${count}; set as many names as sockets`,
    );
  return parts.map((name, index) => ({ name, fd: FIRST + index }));
}
