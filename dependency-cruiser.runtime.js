// What a folder reaches at run time, over any number of steps. Type-only imports are gone when Node
// runs the code, so they are left out here; with them, every port would drag its adapter's packages
// into the workflows. The first pass (dependency-cruiser.direct.js) judges single edges.

const ZOD_FREE_CONTRACTS =
  '^contracts/(?:errors|error-definition|infrastructure-errors|messages|search-attributes)\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circular',
      comment:
        'Modules in a ring see each other half loaded. Types may point back: a front end may name ' +
        'the flags that the work behind it takes.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'workflows-stay-in-their-sandbox',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        reachable: true,
        pathNot: [
          '^(?:workflows|domain)/',
          ZOD_FREE_CONTRACTS,
          '^node_modules/@temporalio/(?:workflow|common)/',
        ],
      },
    },
    {
      name: 'domain-reaches-nothing',
      severity: 'error',
      from: { path: '^domain/' },
      to: { reachable: true, pathNot: '^domain/' },
    },
    {
      name: 'contracts-reach-zod-only',
      severity: 'error',
      from: { path: '^contracts/' },
      to: { reachable: true, pathNot: ['^contracts/', '^node_modules/zod/'] },
    },
    {
      name: 'zod-free-contracts-reach-nothing',
      comment: 'Workflows import these modules, values included.',
      severity: 'error',
      from: { path: ZOD_FREE_CONTRACTS },
      to: { reachable: true, pathNot: ZOD_FREE_CONTRACTS },
    },
    {
      name: 'facade-stays-light',
      comment:
        'Loading the Kubernetes client alone takes 0.4 s; a service that starts runs does not need it. ' +
        'What reads an access configuration is loaded on demand, so that yaml may be reached.',
      severity: 'error',
      from: { path: '^client/index\\.ts$' },
      to: {
        reachable: true,
        path: [
          '^(?:sandbox|workers|workflows|client/cli|client/http)/',
          '^node_modules/(?:@kubernetes/client-node|@temporalio/(?:worker|workflow)|commander|pino|log-update)/',
        ],
      },
    },
  ],
  options: {
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^(?:dist|docs/examples)/' },
    tsPreCompilationDeps: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
