// Reads the beginning of a state, and ends.

import { closeSync, openSync, readSync } from 'node:fs';

const fd = openSync(process.env.PATH_TO_READ, 'r');
readSync(fd, Buffer.alloc(100));
closeSync(fd);
