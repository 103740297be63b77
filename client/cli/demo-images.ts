import type { Manifest } from '../index.ts';

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
