// Who may import whom, edge by edge, type-only imports included. The second pass
// (dependency-cruiser.runtime.js) follows run-time edges to everything they reach.

const PRODUCT = '^(?:activities|client|contracts|domain|sandbox|workers|workflows)/';
const ZOD_FREE_CONTRACTS =
  '^contracts/(?:errors|error-definition|infrastructure-errors|messages|search-attributes)\\.ts$';
/** @type {import('dependency-cruiser').DependencyType[]} */
const NPM = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const everywhere = [
  { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  {
    name: 'product-needs-no-development-package',
    comment: 'An installed package would miss it.',
    severity: 'error',
    from: { path: PRODUCT },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'product-knows-no-test',
    severity: 'error',
    from: { path: PRODUCT },
    to: { path: '^(?:test|bench|scripts)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const contracts = [
  {
    name: 'contracts-import-list',
    comment: 'The public language is zod and nothing else.',
    severity: 'error',
    from: { path: '^contracts/' },
    to: { pathNot: ['^contracts/', '^domain/', '^node_modules/zod/'] },
  },
  {
    name: 'contracts-see-domain-as-types',
    severity: 'error',
    from: { path: '^contracts/' },
    to: { path: '^domain/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'contract-folders-are-strangers',
    severity: 'error',
    from: { path: '^contracts/([^/]+)/' },
    to: { path: '^contracts/[^/]+/', pathNot: '^contracts/(?:$1|shared)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const domain = [
  {
    name: 'domain-is-pure',
    comment: 'Decisions are provable without npm, Node, Temporal or a cluster.',
    severity: 'error',
    from: { path: '^domain/' },
    to: { pathNot: '^domain/' },
  },
  {
    name: 'domain-folders-are-strangers',
    comment: 'A concept moves to domain/shared when its third user appears.',
    severity: 'error',
    from: { path: '^domain/([^/]+)/' },
    to: { path: '^domain/', pathNot: '^domain/(?:$1|shared|statistics)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const workflows = [
  {
    name: 'workflows-import-list',
    severity: 'error',
    from: { path: '^workflows/' },
    to: {
      pathNot: [
        '^(?:workflows|domain|contracts)/',
        '^activities/[^/]+/port\\.ts$',
        '^node_modules/@temporalio/(?:workflow|common)/',
      ],
    },
  },
  {
    name: 'workflows-see-contracts-as-types',
    comment: 'zod in the sandbox costs 28 times the memory of a cached run and breaks replay.',
    severity: 'error',
    from: { path: '^workflows/' },
    to: {
      path: '^contracts/',
      pathNot: ZOD_FREE_CONTRACTS,
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'workflows-see-ports-as-types',
    severity: 'error',
    from: { path: '^workflows/' },
    to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'workflow-folders-are-strangers',
    comment: 'What two domains run becomes a child workflow in workflows/runtime.',
    severity: 'error',
    from: { path: '^workflows/([^/]+)/' },
    to: { path: '^workflows/', pathNot: '^workflows/(?:$1|runtime)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const activitiesAndWorkers = [
  {
    name: 'activities-import-list',
    severity: 'error',
    from: { path: '^activities/' },
    to: { path: '^(?:client|sandbox|workers|workflows)/' },
  },
  {
    name: 'capabilities-are-strangers',
    severity: 'error',
    from: { path: '^activities/([^/]+)/' },
    to: { path: '^activities/[^/]+/', pathNot: '^activities/$1/' },
  },
  {
    name: 'activities-floor-knows-no-capability',
    comment: 'Every capability stands on these files; through them it would reach its neighbours.',
    severity: 'error',
    from: { path: '^activities/[^/]+\\.ts$' },
    to: { path: '^activities/[^/]+/' },
  },
  {
    name: 'workers-import-list',
    comment: 'Workflows reach a worker as a bundle, by path.',
    severity: 'error',
    from: { path: '^workers/' },
    to: { path: '^(?:client|sandbox|workflows)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const client = [
  {
    name: 'client-import-list',
    comment:
      'What both sides write and read has one reader and one writer: the blob store, into which ' +
      'the client seals the manifests, the encryption of payloads, and the proof of who asks.',
    severity: 'error',
    from: { path: '^client/' },
    to: { path: '^(?:activities|workers)/', pathNot: '^activities/(?:store|encryption|identity)/' },
  },
  {
    name: 'client-sees-workflows-as-types',
    severity: 'error',
    from: { path: '^client/' },
    to: { path: '^workflows/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'facade-packages',
    comment: 'Terminal and HTTP libraries stay in their folders; another service loads the facade.',
    severity: 'error',
    from: { path: '^client/', pathNot: '^client/(?:cli|http)/' },
    to: {
      dependencyTypes: NPM,
      pathNot: '^node_modules/(?:@temporalio/(?:client|common|envconfig)|zod)/',
    },
  },
  {
    name: 'facade-knows-no-front-end',
    severity: 'error',
    from: { path: '^client/', pathNot: '^client/(?:cli|http)/' },
    to: { path: '^client/(?:cli|http)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const sandbox = [
  {
    name: 'sandbox-knows-no-product',
    severity: 'error',
    from: { path: '^sandbox/' },
    to: { path: '^(?:activities|client|contracts|domain|workers|workflows)/' },
  },
  {
    name: 'sandbox-is-for-the-command-line',
    comment: 'The product runs against any cluster; only the command line brings one up.',
    severity: 'error',
    from: { pathNot: '^(?:sandbox|client/cli|test|bench|scripts)/' },
    to: { path: '^sandbox/' },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...everywhere,
    ...contracts,
    ...domain,
    ...workflows,
    ...activitiesAndWorkers,
    ...client,
    ...sandbox,
  ],
  options: {
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^(?:dist|docs/examples)/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
