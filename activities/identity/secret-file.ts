import { codedFailure } from '../coded-failure.ts';
import { readPrivateFile } from '../private-file.ts';

/** What a caller keeps to itself; undefined if no file is named. @throws CONFIGURATION_INVALID */
export const readSecretFile = async (file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined;
  const text = await readPrivateFile({
    file,
    kind: 'file of an access key or token',
    renewWith: 'holdfast access rotate',
  });
  if (text !== undefined) return text;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `There is no file ${file} with an access key or token. Nothing was done.`,
    next: 'Correct HOLDFAST_ACCESS_KEY_FILE or HOLDFAST_ACCESS_TOKEN_FILE.',
    subject: file,
  });
};
