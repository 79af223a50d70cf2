// Which function asks which kind. Each is loaded when it is first asked for: an asker that only connects stays small.

import type { ExecSetting } from './exec.js';
import type { Asking, Finding } from './kind.js';
import type { AskerQuestion } from './wire.js';

/** Loads what is needed. @throws Error: it cannot be loaded, as where no descriptor is left */
export async function askerOf(
  question: AskerQuestion,
  setting: ExecSetting,
): Promise<(asking: Asking) => Promise<Finding>> {
  switch (question.kind) {
    case 'http': {
      const { askHttp } = await import('./http.js');
      return (asking) => askHttp(question, asking);
    }
    case 'tcp': {
      const { askTcp } = await import('./tcp.js');
      return (asking) => askTcp(question, asking);
    }
    case 'unix': {
      const { askUnix } = await import('./unix.js');
      return (asking) => askUnix(question, asking);
    }
    case 'tls': {
      const { askTls } = await import('./tls.js');
      return (asking) => askTls(question, asking);
    }
    case 'dns': {
      const { askDns } = await import('./dns.js');
      return (asking) => askDns(question, asking);
    }
    case 'ldap': {
      const { askLdap } = await import('./ldap.js');
      return (asking) => askLdap(question, asking);
    }
    case 'ssh': {
      const { askSsh } = await import('./ssh.js');
      return (asking) => askSsh(question, asking);
    }
    case 'sshAgent': {
      const { askSshAgent } = await import('./ssh-agent.js');
      return (asking) => askSshAgent(question, asking);
    }
    case 'smtp': {
      const { askSmtp } = await import('./smtp.js');
      return (asking) => askSmtp(question, asking);
    }
    case 'redis': {
      const { askRedis } = await import('./redis.js');
      return (asking) => askRedis(question, asking);
    }
    case 'postgres': {
      const { askPostgres } = await import('./postgres.js');
      return (asking) => askPostgres(question, asking);
    }
    case 'exec': {
      const { askExec } = await import('./exec.js');
      return (asking) => askExec(question, asking, setting);
    }
    case 'file': {
      const { askFile } = await import('./file.js');
      return (asking) => askFile(question, asking);
    }
  }
}
