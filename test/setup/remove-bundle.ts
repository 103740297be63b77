import { rm } from 'node:fs/promises';
import path from 'node:path';

/** Removes what bundle-workflows.ts made, and nothing that came in through the environment. */
export default async function removeBundle(): Promise<void> {
  const file = process.env['HOLDFAST_WORKFLOW_BUNDLE'];
  if (file !== undefined && path.basename(path.dirname(file)).startsWith('holdfast-bundle-')) {
    await rm(path.dirname(file), { recursive: true, force: true });
  }
}
