import type { ApiReader } from '../../test/e2e/checker/api-reader.ts';
import { compareSnapshots } from '../../test/e2e/checker/compare.ts';
import { takeSnapshot } from '../../test/e2e/checker/namespace-snapshot.ts';
import { repeatedEffects, tookEffect, type AuditedWrite } from '../../test/kill/audit-log.ts';
import { editedField, editedObject } from './foreign-edit.ts';
import type { EndedRelease } from './released-service.ts';
import { greetingAfter, replicasAfter } from './service-mix.ts';

interface ConfigMap {
  data: Record<string, string>;
}

interface Deployment {
  spec: {
    replicas: number;
    template: { spec: { containers: { envFrom?: { configMapRef?: { name: string } }[] }[] } };
  };
}

/** A release gives configuration that pods read a name of its own. */
const configurationOf = ({ spec }: Deployment): string | undefined =>
  spec.template.spec.containers
    .flatMap(({ envFrom = [] }) => envFrom)
    .find(({ configMapRef }) => configMapRef !== undefined)?.configMapRef?.name;

const outcomeProblems = ({ service, result }: EndedRelease): string[] =>
  result.outcome === service.part.outcome
    ? []
    : [`${service.part.name} ended ${result.outcome}: ${JSON.stringify(result.failure ?? {})}`];

/** I-2 and I-5: everything as before, but for what someone else wrote, which is kept. */
const restoreProblems = async (ended: EndedRelease, reader: ApiReader): Promise<string[]> => {
  const { before, editedValue, service, result } = ended;
  if (before === undefined) return [];
  const { namespace } = service.rig;
  const problems = compareSnapshots(before, await takeSnapshot(reader, namespace))
    .filter(({ object }) => editedValue === undefined || object !== editedObject)
    .map(({ object, verdict }) => `I-2: ${object} is ${verdict} after the undo`);
  if (editedValue === undefined) return problems;
  const path = `/api/v1/namespaces/${namespace}/configmaps/shop-notes`;
  const { data } = (await reader.get(path)) as ConfigMap;
  if (data[editedField] !== editedValue) problems.push('I-5: the edit by hand is lost');
  const row = result.proof.rows.find(({ object }) => object.name === 'shop-notes');
  if (row?.verdict !== 'foreign-change-preserved') {
    problems.push(`I-5: the edit by hand is not flagged but ${row?.verdict ?? 'not proven'}`);
  }
  return problems;
};

const releasedBy = (workflowId: string, writes: readonly AuditedWrite[]): number[] =>
  writes.flatMap((write, index) => (write.step.startsWith(`${workflowId}; `) ? [index] : []));

/** I-10: whoever came second wrote nothing before the first had ended. */
const queueProblems = (ended: EndedRelease, writes: readonly AuditedWrite[]): string[] => {
  if (ended.after === undefined) return [];
  const [first, second] = [ended.after, ended.workflowId].map((id) => releasedBy(id, writes));
  if (first === undefined || second === undefined) throw new Error('two releases are compared');
  if (first.length === 0 || second.length === 0) return ['I-10: a release of two wrote nothing'];
  return Math.max(...first) < Math.min(...second)
    ? []
    : ['I-10: the second release wrote before the first had ended'];
};

/** I-12: replicas, template and configuration changed together; all of it is there at the end. */
const changeProblems = async (ended: EndedRelease, reader: ApiReader): Promise<string[]> => {
  const { service } = ended;
  if (service.part.scales !== true) return [];
  const root = `/namespaces/${service.rig.namespace}`;
  const deployment = (await reader.get(`/apis/apps/v1${root}/deployments/shop`)) as Deployment;
  const name = configurationOf(deployment) ?? '';
  const configMap = (await reader.get(`/api/v1${root}/configmaps/${name}`)) as ConfigMap;
  const wanted = replicasAfter(service.goodReleases);
  const problems: string[] = [];
  if (deployment.spec.replicas !== wanted) {
    problems.push(`I-12: ${String(deployment.spec.replicas)} replicas and not ${String(wanted)}`);
  }
  if (configMap.data['GREETING'] !== greetingAfter(service.goodReleases)) {
    problems.push('I-12: the configuration is not that of the release');
  }
  return problems;
};

const auditProblems = async ({ service }: EndedRelease): Promise<string[]> => {
  const { rig } = service;
  const repeated = repeatedEffects(await rig.writes());
  const unsigned = await rig.stack.auditLog.unsignedWritesIn(rig.namespace);
  return [
    ...repeated.map((step) => `I-3: took effect more than once: ${step}`),
    ...unsigned.map((write) => `a write without a step: ${write}`),
  ];
};

/** Everything that a release must have kept to; nothing where it has. */
export const problemsOf = async (ended: EndedRelease, reader: ApiReader): Promise<string[]> => {
  const writes = (await ended.service.rig.writes()).filter(tookEffect);
  const problems = [
    ...outcomeProblems(ended),
    ...(await restoreProblems(ended, reader)),
    ...queueProblems(ended, writes),
    ...(await changeProblems(ended, reader)),
    ...(await auditProblems(ended)),
  ];
  return problems.map((problem) => `${ended.workflowId}: ${problem}`);
};
