import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { sampleManifests, versions, type SampleVersion } from '../../test/kill/sample-service.ts';

/** What happens to one of the services that are released at the same time. */
export interface Part {
  name: string;
  /** How many of each ten services play it. */
  ofTen: number;
  strategy: { type: 'rolling' } | { type: 'blue-green'; retainMs: number };
  fails: boolean;
  /** Replicas, template and configuration change in one release. */
  scales?: boolean;
  /** Someone else edits an object that the release has changed already. */
  isEdited?: boolean;
  /** A second release of the service is asked for while the first is under way. */
  isFollowed?: boolean;
  outcome: DeployServiceResult['outcome'];
}

const rolling = { type: 'rolling' } as const;
const blueGreen = { type: 'blue-green', retainMs: 0 } as const;
const healthy = { fails: false, outcome: 'deployed' } as const;
const failing = { fails: true, outcome: 'restored-exactly' } as const;

const parts: readonly Part[] = [
  { name: 'rolling', ofTen: 3, strategy: rolling, ...healthy },
  { name: 'rolling, scaled', ofTen: 1, strategy: rolling, scales: true, ...healthy },
  { name: 'rolling, followed', ofTen: 1, strategy: rolling, isFollowed: true, ...healthy },
  { name: 'rolling, failing', ofTen: 1, strategy: rolling, ...failing },
  {
    name: 'rolling, failing and edited',
    ofTen: 1,
    strategy: rolling,
    isEdited: true,
    fails: true,
    outcome: 'restored-with-exceptions',
  },
  { name: 'blue-green', ofTen: 2, strategy: blueGreen, ...healthy },
  { name: 'blue-green, failing', ofTen: 1, strategy: blueGreen, ...failing },
];

const ofEachTen = parts.flatMap((part) => Array.from({ length: part.ofTen }, () => part));

export const partOf = (index: number): Part => {
  const part = ofEachTen[index % ofEachTen.length];
  if (part === undefined) throw new Error('there is no part to play');
  return part;
};

/** Pods of a fully loaded machine come late; only versions that fail need to fail soon. */
const patientDeadlineSeconds = 120;

/** What a service runs after so many good releases. */
const goodVersion = (releases: number): SampleVersion =>
  releases % 2 === 0 ? versions.first : versions.second;

export const replicasAfter = (releases: number): number => 2 + (releases % 2);

type Fields = Record<string, unknown>;

const withDeployment = (objects: readonly KubernetesObject[], fields: Fields): KubernetesObject[] =>
  objects.map((object) =>
    object.kind === 'Deployment'
      ? { ...object, spec: { ...(object['spec'] as Fields), ...fields } }
      : object,
  );

const withoutAutoscaler = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
  objects.filter(({ kind }) => kind !== 'HorizontalPodAutoscaler');

/** Manifests of a service after so many good releases. */
export const goodManifests = (part: Part, releases: number): KubernetesObject[] => {
  const objects = withDeployment(sampleManifests(goodVersion(releases)), {
    progressDeadlineSeconds: patientDeadlineSeconds,
  });
  if (part.scales !== true) return objects;
  // An autoscaler would own the number of pods.
  return withDeployment(withoutAutoscaler(objects), {
    progressDeadlineSeconds: patientDeadlineSeconds,
    replicas: replicasAfter(releases),
  });
};

export const badManifests = (): KubernetesObject[] => sampleManifests(versions.bad);

export const greetingAfter = (releases: number): string => goodVersion(releases).greeting;
export const badGreeting: string = versions.bad.greeting;
