// The tables of docs/systemd.md: what the same services find under a real systemd and under Upkeep.
import { rewrite } from './measured-table.mjs';

rewrite({ page: 'systemd.md', test: 'sd-protocol-systemd.test.ts', variable: 'UPKEEP_PROTOCOL_TABLE' });
