import { sandboxDown } from '../../sandbox/index.ts';
import { removeOwnBundle } from './bundle-workflows.ts';
import { levelTwoState } from './release-stack.ts';

/** Takes down the sandbox of level 2 that the test files of a run have shared. */
export default async function endRealPods(): Promise<void> {
  await removeOwnBundle();
  await sandboxDown(levelTwoState);
}
