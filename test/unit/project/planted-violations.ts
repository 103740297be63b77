import type { Files } from './planted-tree.ts';

const alone = 'export const value = 1;\n';

function uses(...modules: readonly string[]): string {
  const lines = modules.map(
    (name, n) => `import * as module${n} from '${name}';\nvoid module${n};\n`,
  );
  return `${lines.join('')}${alone}`;
}

function usesTypesOf(...modules: readonly string[]): string {
  return modules
    .map(
      (name, n) =>
        `import type * as types${n} from '${name}';\nexport type Of${n} = typeof types${n};\n`,
    )
    .join('');
}

/** Everything that the rules allow; none of these files may be reported. */
export const ALLOWED: Files = {
  'contracts/errors.ts': alone,
  'contracts/messages.ts': alone,
  'contracts/search-attributes.ts': alone,
  'contracts/shared/names.ts': uses('zod'),
  'contracts/delivery/deploy.ts':
    uses('../shared/names.ts') + usesTypesOf('../../domain/delivery/plan.ts'),
  'contracts/training/train.ts': alone,
  'contracts/catalogue.ts': uses('./delivery/deploy.ts', './training/train.ts'),
  'domain/shared/ratio.ts': alone,
  'domain/statistics/mean.ts': alone,
  'domain/delivery/plan.ts': uses('../shared/ratio.ts'),
  'domain/training/schedule.ts': uses('../statistics/mean.ts'),
  'workflows/index.ts': uses('./delivery/deploy.ts', './training/train.ts'),
  'workflows/runtime/saga.ts': uses('@temporalio/common'),
  'workflows/delivery/deploy.ts':
    uses(
      '@temporalio/workflow',
      '../runtime/saga.ts',
      '../../contracts/errors.ts',
      '../../contracts/messages.ts',
      '../../contracts/search-attributes.ts',
      '../../domain/delivery/plan.ts',
    ) + usesTypesOf('../../activities/kubernetes/port.ts', '../../contracts/delivery/deploy.ts'),
  'workflows/training/train.ts': alone,
  'activities/coded-failure.ts': uses('@temporalio/common'),
  'activities/kubernetes/port.ts': uses('../coded-failure.ts'),
  'activities/kubernetes/raw-client.ts': uses('@kubernetes/client-node', './port.ts'),
  'activities/notify/webhook.ts': uses('../../contracts/delivery/deploy.ts'),
  'activities/store/blobs.ts': uses('node:fs'),
  'workers/config.ts': alone,
  'workers/main.ts': uses('./config.ts', '../activities/notify/webhook.ts'),
  'client/index.ts':
    uses('@temporalio/client', '../activities/store/blobs.ts', '../contracts/catalogue.ts') +
    usesTypesOf('../workflows/delivery/deploy.ts'),
  'client/cli/main.ts': uses('commander', '../index.ts', '../../sandbox/stack.ts'),
  'sandbox/stack.ts': uses('node:os'),
  'scripts/generate.ts': uses('../contracts/catalogue.ts'),
  'test/unit/anything.test.ts': uses('jest', '../../workers/config.ts', '../../sandbox/stack.ts'),
};

export interface Planted {
  readonly rule: string;
  readonly files: Files;
}

/** One forbidden import per rule of the first pass; the first file of each is the culprit. */
export const DIRECT: readonly Planted[] = [
  plant('no-unresolvable', ['bench/lost.ts', './nowhere.ts']),
  plant('product-needs-no-development-package', ['workers/uses-jest.ts', 'jest']),
  plant('product-knows-no-test', ['workers/uses-script.ts', '../scripts/generate.ts']),
  plant('contracts-import-list', ['contracts/delivery/uses-node.ts', 'node:fs']),
  plant('contracts-see-domain-as-types', [
    'contracts/delivery/uses-domain.ts',
    '../../domain/delivery/plan.ts',
  ]),
  plant('contract-folders-are-strangers', [
    'contracts/delivery/uses-neighbour.ts',
    '../training/train.ts',
  ]),
  plant('domain-is-pure', ['domain/delivery/uses-node.ts', 'node:crypto']),
  plant('domain-folders-are-strangers', [
    'domain/delivery/uses-neighbour.ts',
    '../training/schedule.ts',
  ]),
  plant('workflows-import-list', ['workflows/delivery/uses-zod.ts', 'zod']),
  plant('workflows-see-contracts-as-types', [
    'workflows/delivery/uses-contract.ts',
    '../../contracts/delivery/deploy.ts',
  ]),
  plant('workflows-see-ports-as-types', [
    'workflows/delivery/uses-port.ts',
    '../../activities/kubernetes/port.ts',
  ]),
  plant('workflow-folders-are-strangers', [
    'workflows/delivery/uses-neighbour.ts',
    '../training/train.ts',
  ]),
  plant('activities-import-list', ['activities/notify/uses-worker.ts', '../../workers/config.ts']),
  plant('capabilities-are-strangers', [
    'activities/notify/uses-neighbour.ts',
    '../kubernetes/raw-client.ts',
  ]),
  plant('activities-floor-knows-no-capability', ['activities/floor.ts', './notify/webhook.ts']),
  plant('workers-import-list', ['workers/uses-workflow.ts', '../workflows/delivery/deploy.ts']),
  plant('client-import-list', ['client/cli/uses-worker.ts', '../../workers/config.ts']),
  plant('client-sees-workflows-as-types', [
    'client/uses-workflow.ts',
    '../workflows/delivery/deploy.ts',
  ]),
  plant('facade-packages', ['client/uses-commander.ts', 'commander']),
  plant('facade-knows-no-front-end', ['client/uses-cli.ts', './cli/main.ts']),
  plant('sandbox-knows-no-product', ['sandbox/uses-contract.ts', '../contracts/errors.ts']),
  plant('sandbox-is-for-the-command-line', ['client/uses-sandbox.ts', '../sandbox/stack.ts']),
];

/** One forbidden path per rule of the second pass, over an innocent-looking step in between. */
export const RUNTIME: readonly Planted[] = [
  plant('no-circular', ['bench/one.ts', './two.ts'], {
    'bench/two.ts': uses('./one.ts'),
  }),
  plant(
    'workflows-stay-in-their-sandbox',
    ['workflows/delivery/far.ts', '../../domain/delivery/near.ts'],
    {
      'domain/delivery/near.ts': uses('node:os'),
    },
  ),
  plant('domain-reaches-nothing', ['domain/delivery/far.ts', '../shared/near.ts'], {
    'domain/shared/near.ts': uses('zod'),
  }),
  plant('contracts-reach-zod-only', ['contracts/delivery/far.ts', '../shared/near.ts'], {
    'contracts/shared/near.ts': uses('node:os'),
  }),
  {
    rule: 'zod-free-contracts-reach-nothing',
    files: {
      'contracts/messages.ts': uses('./shared/names.ts'),
    },
  },
  plant('facade-stays-light', ['client/index.ts', './near.ts'], {
    'client/near.ts': uses('../activities/store/heavy.ts'),
    'activities/store/heavy.ts': uses('@kubernetes/client-node'),
  }),
];

function plant(rule: string, [culprit, imports]: [string, string], others: Files = {}): Planted {
  return { rule, files: { [culprit]: uses(imports), ...others } };
}
