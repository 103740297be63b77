import { removeOwnBundle } from './bundle-workflows.ts';
import { stopSharedServer } from './start-temporal.ts';

/** Ends what start-temporal.ts started. */
export default async function stopTemporal(): Promise<void> {
  await removeOwnBundle();
  await stopSharedServer();
}
