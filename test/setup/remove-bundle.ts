import { removeOwnBundle } from './bundle-workflows.ts';

/** Removes what bundle-workflows.ts made. */
export default async function removeBundle(): Promise<void> {
  await removeOwnBundle();
}
