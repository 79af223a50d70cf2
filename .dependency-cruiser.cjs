// The floors of the house (ARCHITECTURE.md) and the one home of each package, as rules.
// Unit tests sit beside their files and may reach for the test runner, so the floors are for the program alone.
const TEST = '\\.test\\.ts$';
const MIDDLE = 'kernel|heartbeats|protocol|notices|config|journal|history|logs|control|install|readiness';
const FLOORS = `^src/(core|keeper|${MIDDLE}|cli|daemon)/`;

const HOMES = {
  koffi: '^src/kernel/',
  yaml: '^src/config/',
  commander: '^src/cli/',
  libsql: '^src/history/',
  nodemailer: '^src/notices/',
  croner: '^src/config/',
};

const floor = (name, comment, path, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path, pathNot: TEST },
  to: { pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    floor('core-knows-core', 'core imports core and nothing else, no Node either', '^src/core/', ['^src/core/']),
    floor('keeper-knows-core', 'keeper imports core, no Node, no package', '^src/keeper/', ['^src/(core|keeper)/']),
    {
      name: 'no-siblings',
      comment: 'a folder of the middle floor imports core, keeper/ports.ts and itself, never a neighbour',
      severity: 'error',
      from: { path: `^src/(${MIDDLE})/`, pathNot: TEST },
      to: { path: '^src/', pathNot: ['^src/core/', '^src/keeper/ports\\.ts$', '^src/$1/'] },
    },
    {
      name: 'cli-stays-thin',
      comment:
        'the command line imports what core tells the outside (status, why, graph), the client of control, config and itself',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: TEST },
      to: {
        path: '^src/',
        pathNot: ['^src/cli/', '^src/core/(status|why|graph-view)\\.ts$', '^src/control/client', '^src/config/'],
      },
    },
    {
      name: 'folders-have-a-floor',
      comment: 'a new folder of src gets its floor here first',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: [FLOORS, TEST] },
      to: {},
    },
    {
      name: 'nobody-imports-the-roof',
      comment: 'main.ts, worker.ts and daemon/ compose; they are imported by no other file of the program',
      severity: 'error',
      from: { path: '^src/', pathNot: [TEST, '^src/daemon/', '^src/main\\.ts$'] },
      to: { path: ['^src/[^/]+\\.ts$', '^src/daemon/'] },
    },
    {
      name: 'program-knows-no-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: [TEST, '^test/', '^bench/', '^scripts/'] },
    },
    {
      name: 'clients-stand-alone',
      comment:
        'the library for services runs where no keeper is installed, without any package: koffi only if it is there',
      severity: 'error',
      from: { path: '^clients/node/src/', pathNot: TEST },
      to: {
        path: ['^(src|test|bench|scripts|clients)/', '(^|/)node_modules/'],
        pathNot: ['^clients/node/src/', '(^|/)node_modules/(koffi|@types)/'],
      },
    },
    {
      name: 'program-knows-no-clients',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: '^clients/' },
    },
    ...Object.entries(HOMES).map(([name, home]) => ({
      name: `home-of-${name}`,
      comment: `${name} is imported in ${home} alone`,
      severity: 'error',
      from: { path: '^src/', pathNot: [home, TEST] },
      to: { path: `(^|/)node_modules/${name}/` },
    })),
    {
      name: 'packages-have-a-home',
      comment: 'a package that the program needs gets its one home in this file first',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: '(^|/)node_modules/', pathNot: [`(^|/)node_modules/(${Object.keys(HOMES).join('|')}|@types)/`] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build|clients/node/dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
