// `upkeep init`: a configuration to begin with, as text. Who looks for daemons that run here is not its affair.

/** A daemon that runs here and could be watched. */
export interface Daemon {
  readonly name: string;
  /** Its executable. */
  readonly exe: string;
  /** What would start it; null where nobody knows. */
  readonly start: string | null;
}

/** A commented file with the daemons that were found, or with examples where there are none. */
export function initText(daemons: readonly Daemon[] = []): string {
  return `# What Upkeep keeps up on this host. Try it with \`upkeep check\`, then \`upkeep run\`.
# All keys: \`upkeep help keys\`; one of them: \`upkeep help restart.limit\`.

# Who is told: a mail to root of what died for good, what flaps, what came back.
# notices: { mail: root }

# Which hosts are what, so that one file serves them all.
# classes: { web: ["web*"], dns: ["ns*"] }

services:
${daemons.length === 0 ? EXAMPLES : found(daemons)}
  # A program that Upkeep starts itself, in the foreground:
  # web:
  #   run: node /srv/web/server.js
  #   user: www-data
  #   ready: { port: 8080 }
  #   needs: [migrate]     # starts when that is done, or ready; see also wants, after, restartWith

  # One that does its work and ends:
  # migrate: { run: /srv/web/migrate, oneshot: true }
`;
}

const EXAMPLES = `  # Daemons that something else starts: what to look for, and what brings it back.
  # ssh:    { watch: /usr/sbin/sshd,    start: service ssh restart }
  # apache: { watch: /usr/sbin/apache2, start: service apache2 restart, hosts: web }
`;

function found(daemons: readonly Daemon[]): string {
  const names = new Set<string>();
  const lines = daemons.flatMap(({ name, exe, start }) => {
    const plain = name.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^[^A-Za-z0-9]+/, '') || 'daemon';
    if (names.has(plain)) return [];
    names.add(plain);
    const back = start === null ? '' : `, start: ${JSON.stringify(start)}`;
    return [`  ${plain}: { watch: ${JSON.stringify(exe)}${back} }\n`];
  });
  return `  # Found running here. Without \`start\` a daemon is watched and told of, not brought back.\n${lines.join('')}`;
}
