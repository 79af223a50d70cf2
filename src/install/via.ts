// Who may start the keeper again: the four ways, in the order in which they are tried. Knows nothing of any of them.

export const VIAS = ['systemd', 'cron', 'sysv', 'guard'] as const;

export type Via = (typeof VIAS)[number];

export const isVia = (text: string): text is Via => (VIAS as readonly string[]).includes(text);
