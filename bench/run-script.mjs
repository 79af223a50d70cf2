// The run script of the daemontools family (runit, s6, daemontools).
import { chmodSync, writeFileSync } from 'node:fs';

/**
 * 'shell': as everybody writes it, `#!/bin/sh` and `exec`. 'plain': the service program is the script's own
 * interpreter, so that no shell is started: the family at its very best, which hardly anybody has.
 */
export function writeRunScript(path, service, fifo) {
  const [program] = service.command;
  const isDirect = service.kind === 'plain' && service.isStatic;
  writeFileSync(
    path,
    isDirect ? `#!${program} ${fifo}:${service.name}\n` : `#!/bin/sh\nexec ${service.command.join(' ')}\n`,
  );
  chmodSync(path, 0o755);
}
