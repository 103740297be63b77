import { isDeepStrictEqual } from 'node:util';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import { createApiReader, type ApiReader } from '../e2e/checker/api-reader.ts';
import { compareSnapshots } from '../e2e/checker/compare.ts';
import { takeSnapshot, type NamespaceSnapshot } from '../e2e/checker/namespace-snapshot.ts';
import { readUnsignedWrites, repeatedEffects, tookEffect } from './audit-log.ts';
import type { Fate } from './fault-proxy.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from './release-rig.ts';
import { sampleManifests, versions, type SampleVersion } from './sample-service.ts';
import {
  createPointCounter,
  pointOfRequest,
  pointsOfWrites,
  type WritePoint,
} from './write-points.ts';

/** One story: what is there already, what is released, and how it must end. */
export interface Scenario {
  name: string;
  baseline?: SampleVersion;
  target: SampleVersion;
  outcome: DeployServiceResult['outcome'];
}

export const scenarios: readonly Scenario[] = [
  { name: 'first', target: versions.first, outcome: 'deployed' },
  { name: 'update', baseline: versions.first, target: versions.second, outcome: 'deployed' },
  { name: 'undo', baseline: versions.first, target: versions.bad, outcome: 'restored-exactly' },
  { name: 'undo-first', target: versions.bad, outcome: 'restored-exactly' },
];

export const faultKinds = ['kill-before', 'kill-after', 'lose-response'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** How a run ended, in a form that two namespaces can share. */
interface Ending {
  outcome: string;
  objects: Record<string, unknown>;
}

export interface Undisturbed {
  points: WritePoint[];
  ending: Ending;
  problems: string[];
}

export interface CaseVerdict {
  hit: boolean;
  problems: string[];
}

const perNamespace = new Set([
  'uid',
  'creationTimestamp',
  'namespace',
  'clusterIP',
  'clusterIPs',
  'deletionTimestamp',
]);

/** Drops what must differ between two namespaces, and nothing else. */
const comparable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !perNamespace.has(key))
      .map(([key, inner]) => [key, comparable(inner)]),
  );
};

const endingOf = (result: DeployServiceResult, snapshot: NamespaceSnapshot): Ending => ({
  outcome: result.outcome,
  objects: Object.fromEntries(
    [...snapshot.objects].map(([name, object]) => [name, comparable(object)]),
  ),
});

/** Names what differs, with both sides, so that a failure can be read without a second run. */
const differences = (calm: Ending, ending: Ending): string[] => {
  const names = new Set([...Object.keys(calm.objects), ...Object.keys(ending.objects)]);
  const outcome = calm.outcome === ending.outcome ? [] : [`the outcome is ${ending.outcome}`];
  const objects = [...names]
    .filter((name) => !isDeepStrictEqual(calm.objects[name], ending.objects[name]))
    .map((name) => {
      const [expected, seen] = [calm.objects[name], ending.objects[name]];
      return `${name} is ${JSON.stringify(seen)} and not ${JSON.stringify(expected)}`;
    });
  return [...outcome, ...objects];
};

interface Played {
  rig: ReleaseRig;
  ending: Ending;
  problems: string[];
  writesBefore: number;
}

export interface Play {
  stack: Stack;
  scenario: Scenario;
  /** Namespace and environment; used once in the life of a cluster. */
  name: string;
}

const exactnessProblems = (
  scenario: Scenario,
  before: NamespaceSnapshot,
  after: NamespaceSnapshot,
): string[] =>
  scenario.outcome === 'deployed'
    ? []
    : compareSnapshots(before, after).map(
        (difference) => `${difference.object} is ${difference.verdict} after the undo`,
      );

/** Plays a scenario; `arm` is called when the disturbed part begins. */
const play = async ({ stack, scenario, name }: Play, arm: (rig: ReleaseRig) => void) => {
  const rig = await createReleaseRig(stack, name);
  const reader: ApiReader = createApiReader(stack.kubeconfigPath, stack.context);
  try {
    if (scenario.baseline !== undefined) {
      await rig.release({ release: 'r1', objects: sampleManifests(scenario.baseline) });
    }
    const before = await takeSnapshot(reader, name);
    const writesBefore = (await rig.writes()).length;
    arm(rig);
    const result = await rig.release({ release: 'r2', objects: sampleManifests(scenario.target) });
    const after = await takeSnapshot(reader, name);
    const played: Played = {
      rig,
      ending: endingOf(result, after),
      problems: exactnessProblems(scenario, before, after),
      writesBefore,
    };
    if (result.outcome !== scenario.outcome) {
      played.problems.push(`ended ${result.outcome}: ${JSON.stringify(result.failure ?? {})}`);
    }
    return played;
  } catch (error) {
    await rig.close();
    throw error;
  } finally {
    reader.close();
  }
};

/** Runs the scenario without a fault and reads from the audit log where it writes. */
export const playUndisturbed = async (calm: Play): Promise<Undisturbed> => {
  const { stack, name } = calm;
  const seen: WritePoint[] = [];
  const number = createPointCounter();
  const { rig, ending, problems, writesBefore } = await play(calm, (armed) => {
    armed.proxy.decide = (request) => {
      if (request.mutating) seen.push(number(pointOfRequest(request)));
      return { kind: 'forward' };
    };
  });
  const writes = (await rig.writes()).slice(writesBefore);
  const points = pointsOfWrites(writes);
  await rig.close();
  if (!isDeepStrictEqual([...points].sort(), [...seen].sort())) {
    problems.push(`the proxy saw ${seen.join(', ')} and the audit log ${points.join(', ')}`);
  }
  for (const write of await readUnsignedWrites(stack.auditLogPath, name)) {
    problems.push(`a write without a step: ${write}`);
  }
  for (const write of writes.filter((entry) => !tookEffect(entry))) {
    problems.push(`refused although nothing disturbed it: ${write.verb} ${write.object}`);
  }
  return { points, ending, problems };
};

const fateOf = (kind: FaultKind, rig: ReleaseRig): Fate => {
  const crash = (): void => {
    rig.worker.crash();
  };
  if (kind === 'kill-before') return { kind: 'lose-before', meanwhile: crash };
  if (kind === 'kill-after') return { kind: 'lose-after', meanwhile: crash };
  return { kind: 'lose-after', meanwhile: () => undefined };
};

export interface Case extends Play {
  point: WritePoint;
  kind: FaultKind;
}

/** Runs the scenario with one fault at one point and compares its end with the undisturbed one. */
export const playDisturbed = async (test: Case, calm: Undisturbed): Promise<CaseVerdict> => {
  const number = createPointCounter();
  let hit = false;
  const { rig, ending, problems } = await play(test, (armed) => {
    armed.proxy.decide = (request) => {
      if (hit || !request.mutating || number(pointOfRequest(request)) !== test.point) {
        return { kind: 'forward' };
      }
      hit = true;
      return fateOf(test.kind, armed);
    };
  });
  const repeated = repeatedEffects(await rig.writes());
  await rig.close();
  problems.push(...repeated.map((step) => `took effect more than once: ${step}`));
  problems.push(...differences(calm.ending, ending));
  return { hit, problems };
};
