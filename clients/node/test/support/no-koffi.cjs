// Makes koffi a package that is not installed.

const Module = require('node:module');

const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === 'koffi') throw Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' });
  return load(name, ...rest);
};
