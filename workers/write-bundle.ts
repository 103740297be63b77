/** `node workers/write-bundle.ts FILE`: for who wants the bundle made before the workers start. */
import { writeWorkflowBundle } from './bundle.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name the file that the bundle is to be written to');
await writeWorkflowBundle(file);
