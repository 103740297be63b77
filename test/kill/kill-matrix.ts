import { isDeepStrictEqual } from 'node:util';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import type { ApiReader } from '../e2e/checker/api-reader.ts';
import { compareSnapshots } from '../e2e/checker/compare.ts';
import { takeSnapshot, type NamespaceSnapshot } from '../e2e/checker/namespace-snapshot.ts';
import { repeatedEffects, tookEffect } from './audit-log.ts';
import { differences, endingOf, type Ending } from './ending.ts';
import type { Fate } from './fault-proxy.ts';
import { createAndAwait, limitPods, openPlayedRoute } from './played-namespace.ts';
import type { ReleaseLane } from './release-lane.ts';
import { createRigInLane, type ReleaseRig } from './release-rig.ts';
import { sampleManifests, versions, type SampleVersion } from './sample-service.ts';
import {
  createPointCounter,
  pointOfRequest,
  pointsOfWrites,
  type WritePoint,
} from './write-points.ts';

/** What is there already: a release of ours, or what a user made with other tools and we adopt. */
interface Baseline {
  version: SampleVersion;
  by: 'release' | 'other-tools';
}

/** One story: what is there already, what is released, and how it must end. */
export interface Scenario {
  name: string;
  baseline?: Baseline;
  target: SampleVersion;
  outcome: DeployServiceResult['outcome'];
  /** How the target replaces the baseline; a rolling update if absent. */
  strategy?: { type: 'blue-green'; retainMs: number } | typeof canary;
  /** The release is aborted while the old version is kept, with all traffic on the new one. */
  abortsInRetention?: boolean;
  /** Pods that the namespace has room for; who needs more of them fails. */
  mostPods?: number;
}

const released: Baseline = { version: versions.first, by: 'release' };
const adopted: Baseline = { version: versions.first, by: 'other-tools' };

/** The abort ends it; however slow the machine, it must not be over before. */
const retainMs = 1_800_000;

const canary = {
  type: 'canary' as const,
  route: 'shop',
  // Nothing is measured on level 1, but a stop without time would have no data to pass on.
  steps: [{ weightPercent: 50, forMs: 1_000 }],
};

export const scenarios: readonly Scenario[] = [
  { name: 'first', target: versions.first, outcome: 'deployed' },
  { name: 'update', baseline: released, target: versions.second, outcome: 'deployed' },
  { name: 'undo', baseline: released, target: versions.bad, outcome: 'restored-exactly' },
  { name: 'undo-first', target: versions.bad, outcome: 'restored-exactly' },
  {
    name: 'blue-green',
    baseline: adopted,
    target: versions.second,
    outcome: 'deployed',
    strategy: { type: 'blue-green', retainMs: 0 },
  },
  {
    name: 'blue-green-back',
    baseline: adopted,
    target: versions.second,
    outcome: 'restored-exactly',
    strategy: { type: 'blue-green', retainMs },
    abortsInRetention: true,
  },
  {
    name: 'canary',
    baseline: adopted,
    target: versions.second,
    outcome: 'deployed',
    strategy: canary,
  },
  {
    name: 'canary-back',
    baseline: adopted,
    target: versions.second,
    outcome: 'restored-exactly',
    strategy: canary,
    // Two of each version; the update in place would need one more, with all traffic on the new one.
    mostPods: 4,
  },
];

export const scenariosNamed = (names: readonly string[]): Scenario[] =>
  names.map((wanted) => {
    const found = scenarios.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    const known = scenarios.map(({ name }) => name).join(', ');
    throw new Error(`there is no scenario ${wanted}; there are ${known}`);
  });

export const faultKinds = ['kill-before', 'kill-after', 'lose-response'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Undisturbed {
  points: WritePoint[];
  ending: Ending;
  problems: string[];
}

export interface CaseVerdict {
  /** Faults that the run met. */
  hit: number;
  problems: string[];
}

export interface Play {
  lane: ReleaseLane;
  reader: ApiReader;
  scenario: Scenario;
  /** Namespace and environment of the lane; used once in the life of a cluster. */
  namespace: string;
}

interface Played {
  rig: ReleaseRig;
  ending: Ending;
  problems: string[];
  writesBefore: number;
}

const exactnessProblems = (
  { outcome }: Scenario,
  before: NamespaceSnapshot,
  after: NamespaceSnapshot,
): string[] =>
  outcome === 'deployed'
    ? []
    : compareSnapshots(before, after).map(
        ({ object, verdict }) => `${object} is ${verdict} after the undo`,
      );

const releaseTarget = async (
  rig: ReleaseRig,
  { target, strategy, abortsInRetention }: Scenario,
): Promise<DeployServiceResult> => {
  await rig.start({
    release: 'r2',
    objects: sampleManifests(target),
    ...(strategy === undefined ? {} : { input: { strategy } }),
  });
  if (abortsInRetention === true) await rig.steer('r2', 'abort');
  return rig.result('r2');
};

const putThere = async (rig: ReleaseRig, { version, by }: Baseline): Promise<void> => {
  const objects = sampleManifests(version);
  if (by === 'release') await rig.release({ release: 'r1', objects });
  else await createAndAwait(rig.stack, { namespace: rig.namespace, objects });
};

/** Plays a scenario; `arm` is called when the disturbed part begins. */
const play = async (
  { lane, reader, scenario, namespace }: Play,
  arm: (rig: ReleaseRig) => void,
): Promise<Played> => {
  const rig = await createRigInLane(lane, namespace);
  const { mostPods } = scenario;
  if (mostPods !== undefined) await limitPods(lane.stack, { namespace, mostPods });
  const hasRoute = scenario.strategy?.type === 'canary';
  const gateway = hasRoute ? await openPlayedRoute(lane.stack, namespace) : undefined;
  try {
    if (scenario.baseline !== undefined) await putThere(rig, scenario.baseline);
    const before = await takeSnapshot(reader, namespace);
    const writesBefore = (await rig.writes()).length;
    arm(rig);
    const result = await releaseTarget(rig, scenario);
    const after = await takeSnapshot(reader, namespace);
    const problems = exactnessProblems(scenario, before, after);
    if (result.outcome !== scenario.outcome) {
      problems.push(`ended ${result.outcome}: ${JSON.stringify(result.failure ?? {})}`);
    }
    return { rig, ending: endingOf(result.outcome, after), problems, writesBefore };
  } finally {
    await gateway?.stop();
    await rig.close();
  }
};

/** Runs the scenario without a fault and reads from the audit log where it writes. */
export const playUndisturbed = async (calm: Play): Promise<Undisturbed> => {
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
  if (!isDeepStrictEqual([...points].sort(), [...seen].sort())) {
    problems.push(`the proxy saw ${seen.join(', ')} and the audit log ${points.join(', ')}`);
  }
  for (const write of await calm.lane.stack.auditLog.unsignedWritesIn(calm.namespace)) {
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

export interface Fault {
  point: WritePoint;
  kind: FaultKind;
}

/** Runs the scenario with a fault at each of the points and compares its end with the undisturbed one. */
export const playDisturbed = async (
  disturbed: Play,
  faults: readonly Fault[],
  calm: Undisturbed,
): Promise<CaseVerdict> => {
  const number = createPointCounter();
  const waiting = new Map(faults.map(({ point, kind }) => [point, kind]));
  const { rig, ending, problems } = await play(disturbed, (armed) => {
    armed.proxy.decide = (request) => {
      if (!request.mutating) return { kind: 'forward' };
      const point = number(pointOfRequest(request));
      const kind = waiting.get(point);
      if (kind === undefined) return { kind: 'forward' };
      waiting.delete(point);
      return fateOf(kind, armed);
    };
  });
  const repeated = repeatedEffects(await rig.writes());
  problems.push(...repeated.map((step) => `took effect more than once: ${step}`));
  problems.push(...differences(calm.ending, ending));
  problems.push(...[...waiting.keys()].map((point) => `never met the fault at ${point}`));
  return { hit: faults.length - waiting.size, problems };
};
