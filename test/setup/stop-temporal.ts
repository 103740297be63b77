import removeBundle from './remove-bundle.ts';
import { stopSharedServer } from './start-temporal.ts';

/** Ends what start-temporal.ts started. */
export default async function stopTemporal(): Promise<void> {
  await removeBundle();
  await stopSharedServer();
}
