import type { DeployServiceRequest, Manifest } from '../index.ts';

const sampleImage = /^localhost\/shop:/;

/**
 * The manifests with another repository in place of the sample image's, for a cluster that
 * cannot have the sandbox's images. The tag, which is the version, stays.
 */
export const withRepository = (
  objects: readonly Manifest[],
  repository: string | undefined,
): Manifest[] => {
  if (repository === undefined) return [...objects];
  return JSON.parse(JSON.stringify(objects), (key, value: unknown) =>
    key === 'image' && typeof value === 'string'
      ? value.replace(sampleImage, `${repository}:`)
      : value,
  ) as Manifest[];
};

/** Times of the story: long enough to prove something, short enough to watch. */
const pace = { stableMs: 500, bakeMs: 1_500, bakeRequestsPerSecond: 70, readyWithinSeconds: 2 };

/**
 * The request with shorter waits than its files ask for. Of the version that never becomes
 * ready, `hasShortDeadline`, Kubernetes also waits less before it says so.
 */
export const withPace = (
  request: DeployServiceRequest,
  { hasShortDeadline }: { hasShortDeadline: boolean },
): DeployServiceRequest => ({
  ...request,
  stableMs: pace.stableMs,
  ...(request.bake === undefined
    ? {}
    : {
        bake: {
          ...request.bake,
          forMs: Math.min(request.bake.forMs, pace.bakeMs),
          requestsPerSecond: pace.bakeRequestsPerSecond,
        },
      }),
  ...(hasShortDeadline ? { manifests: request.manifests.map(withShortDeadline) } : {}),
});

const withShortDeadline = (object: Manifest): Manifest => {
  if (object.kind !== 'Deployment') return object;
  const spec = object['spec'] as Record<string, unknown>;
  return { ...object, spec: { ...spec, progressDeadlineSeconds: pace.readyWithinSeconds } };
};
