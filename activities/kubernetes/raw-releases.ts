import type { Releases } from './port.ts';
import { captureRelease } from './release-capture.ts';
import { planRelease, type ReleaseDeps } from './release-planning.ts';
import { proveRelease } from './release-proofs.ts';
import { highestFenceOf, pruneService } from './release-pruning.ts';
import { revertChange } from './release-reverts.ts';
import { writeChange } from './release-writes.ts';

/** Releases on the raw JSON of the Kubernetes API. */
export const createReleases = (deps: ReleaseDeps): Releases => ({
  plan: async (request) => planRelease(deps, request),
  capture: async (request) => captureRelease(deps, request),
  write: async (request) => writeChange(deps, request),
  revert: async (request) => revertChange(deps, request),
  prove: async (request) => proveRelease(deps, request),
  prune: async (request) => pruneService(deps, request),
  highestFence: async (request) => highestFenceOf(deps, request),
});
