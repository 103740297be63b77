import { z } from 'zod';

const ObjectRef = z.object({ apiVersion: z.string(), kind: z.string(), name: z.string() });

/** What a release will change, as a worker answers; the values are in the blob store. */
export const ReleasePlan = z.object({
  planDigest: z.string(),
  changes: z.array(
    z.object({
      step: z.string(),
      object: ObjectRef,
      action: z.enum(['create', 'activate', 'patch', 'keep']),
      fields: z.array(z.object({ path: z.string(), before: z.string(), after: z.string() })),
    }),
  ),
  warnings: z.array(z.string()),
  images: z.array(z.object({ container: z.string(), image: z.string() })),
  /** The new version beside the stable one, where the release has one. */
  candidate: z
    .object({ workload: ObjectRef, stable: ObjectRef, route: z.string().optional() })
    .optional(),
});

export type ReleasePlan = z.output<typeof ReleasePlan>;
