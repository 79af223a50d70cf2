// Vocabulary: where notices go and who is told of what, as the configuration says it (product.md 2.8).

import type { NoticeKind } from './notice.js';
import type { Secret } from './secret.js';
import type { Command } from './spec.js';
import type { Millis } from './time.js';

export type { Secret };

export type Channel =
  | {
      readonly type: 'mail';
      readonly to: readonly string[];
      readonly from: string | null;
      readonly via:
        | { readonly type: 'sendmail' }
        | {
            readonly type: 'smtp';
            readonly server: string;
            readonly user: string | null;
            readonly password: Secret | null;
            /** `insecure`: encrypted, with whatever certificate it shows. `none`: in the clear. */
            readonly tls: 'verify' | 'insecure' | 'none';
          };
    }
  /** `server`: host and port, RFC 5424 over UDP; null: the host's own /dev/log. */
  | { readonly type: 'syslog'; readonly facility: string; readonly server: string | null }
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'exec'; readonly command: Command }
  | { readonly type: 'webhook'; readonly url: string | Secret; readonly format: 'json' | 'slack' | 'ntfy' };

export interface NoticeRule {
  /** null: the default kinds. */
  readonly kinds: readonly NoticeKind[] | null;
  /** Names, globs and @tags; null: all. */
  readonly services: readonly string[] | null;
  readonly tell: readonly string[];
}

export interface NoticesSpec {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly rules: readonly NoticeRule[];
  /** null: nothing is gathered. */
  readonly digest: Millis | null;
  /** null: no reminders. */
  readonly remind: Millis | null;
}
