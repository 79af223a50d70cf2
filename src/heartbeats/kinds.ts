// Which function asks which kind. All are loaded at once: later an asker has no rights to read them.

import { askDns } from './dns.js';
import { askExec, type ExecSetting } from './exec.js';
import { askFile } from './file.js';
import { askHttp } from './http.js';
import type { Asking, Finding } from './kind.js';
import { askLdap } from './ldap.js';
import { askPostgres } from './postgres.js';
import { askRedis } from './redis.js';
import { askSmtp } from './smtp.js';
import { askSsh } from './ssh.js';
import { askSshAgent } from './ssh-agent.js';
import { askTcp } from './tcp.js';
import { askTls } from './tls.js';
import { askUnix } from './unix.js';
import type { AskerQuestion } from './wire.js';

export function askerOf(question: AskerQuestion, setting: ExecSetting): (asking: Asking) => Promise<Finding> {
  switch (question.kind) {
    case 'http':
      return (asking) => askHttp(question, asking);
    case 'tcp':
      return (asking) => askTcp(question, asking);
    case 'unix':
      return (asking) => askUnix(question, asking);
    case 'tls':
      return (asking) => askTls(question, asking);
    case 'dns':
      return (asking) => askDns(question, asking);
    case 'ldap':
      return (asking) => askLdap(question, asking);
    case 'ssh':
      return (asking) => askSsh(question, asking);
    case 'sshAgent':
      return (asking) => askSshAgent(question, asking);
    case 'smtp':
      return (asking) => askSmtp(question, asking);
    case 'redis':
      return (asking) => askRedis(question, asking);
    case 'postgres':
      return (asking) => askPostgres(question, asking);
    case 'exec':
      return (asking) => askExec(question, asking, setting);
    case 'file':
      return (asking) => askFile(question, asking);
  }
}
