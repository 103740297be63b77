import { AccessChangeFile } from '../../../contracts/security/access-change-file.ts';
import type { ManageAccessRequest } from '../../security/manage-access.ts';
import { readOneDocument } from './one-document.ts';

/**
 * Reads the file of a change of access, as `ops.security.manageAccess.start` takes it.
 *
 * @throws INVALID_INPUT naming file, line, column and field of every mistake
 */
export const loadAccessChange = async (file: string): Promise<ManageAccessRequest> => {
  const { give, reason, ...same } = await readOneDocument(file, {
    schema: AccessChangeFile,
    what: 'file of the change',
    command: 'holdfast access change -f change.yaml',
  });
  return {
    ...same,
    give: give.map(({ for: forMs, ...grant }) => ({
      ...grant,
      ...(forMs === undefined ? {} : { forMs }),
    })),
    ...(reason === undefined ? {} : { requestedBy: { reason } }),
  };
};
