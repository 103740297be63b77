import { keyManagementOf, openKeyManagement } from '../../activities/encryption/index.ts';
import type { KeyManagement } from '../../activities/encryption/port.ts';
import { readSurroundings } from '../config.ts';
import { toOpsError } from '../error-translation.ts';
import { OpsError } from '../ops-error.ts';
import type { CommandContext } from './command-context.ts';
import type { BlobKeysFlags } from './keys-verb.ts';
import { printJson, printLine, say } from './terminal.ts';

/** Who keeps the keys of blobs, and which one wraps; with `--rotate` a new one from now on. */
export const showBlobKeys = async (
  { terminal }: CommandContext,
  flags: BlobKeysFlags,
): Promise<void> => {
  const description = await described(flags);
  if (flags.json === true) {
    printJson(terminal, description);
    return;
  }
  const { keyId, keeper, readableKeys } = description;
  printLine(terminal, `${keyId}: wraps now; ${String(readableKeys)} readable, in a ${keeper}`);
  if (flags.rotate !== true) return;
  say(
    terminal,
    keeper === 'key ring'
      ? 'Next: give this file to every worker and client, and start the workers again.'
      : 'Next: nothing; workers wrap with it from their next blob on.',
  );
};

const described = async (flags: BlobKeysFlags): ReturnType<KeyManagement['describe']> => {
  try {
    const keys = openKeys(flags);
    return await (flags.rotate === true ? keys.rotate() : keys.describe());
  } catch (error) {
    throw toOpsError(error);
  }
};

const openKeys = ({ keys }: BlobKeysFlags): KeyManagement => {
  const { blobEnvironment } = readSurroundings();
  const settings = keyManagementOf({ ...blobEnvironment, HOLDFAST_BLOB_KEYS: keys });
  if (settings !== undefined) return openKeyManagement(settings);
  throw new OpsError({
    code: 'CONFIGURATION_INVALID',
    message: 'Nobody is named who keeps keys of blobs; they are sealed with the key of a file.',
    next: 'Name a key ring or a key of a transit engine with --keys, or set HOLDFAST_BLOB_KEYS.',
    subject: 'HOLDFAST_BLOB_KEYS',
  });
};
