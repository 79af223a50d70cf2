// The table of docs/coupling.md: what becomes of an agent and its witness under a real systemd and under Upkeep.
import { rewrite } from './measured-table.mjs';

rewrite({ page: 'coupling.md', test: 'seed-000-systemd.test.ts', variable: 'UPKEEP_COUPLING_TABLE' });
