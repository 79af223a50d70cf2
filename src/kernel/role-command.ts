// Which command of a definition is run in which role. Pure. It must not know when, nor what comes of it.

import type { Role } from '../core/effect.js';
import { commandsOf } from '../core/hooks.js';
import type { Command, ServiceSpec } from '../core/spec.js';

/** `hook`: of several of one role, which. null: it has none. */
export function commandOf({ kind, hooks }: ServiceSpec, role: Role, hook: number): Command | null {
  switch (role) {
    case 'main':
      return kind.type === 'supervised' ? kind.run : null;
    case 'start':
      return kind.type === 'watched' ? kind.start : null;
    case 'stop':
      return kind.stop.type === 'command' ? kind.stop.command : null;
    case 'restart':
      return kind.type === 'watched' ? kind.restart : null;
    case 'reload':
      return kind.reload?.type === 'command' ? kind.reload.command : null;
    case 'condition':
    case 'beforeStart':
    case 'afterStart':
    case 'beforeStop':
    case 'afterStop':
      return commandsOf(hooks, role)[hook] ?? null;
  }
}
