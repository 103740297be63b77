import { codedFailure } from '../../activities/coded-failure.ts';
import type { AccessGrants, GrantList } from '../../domain/security/access-grant.ts';

/** Every version that was written, in order. */
export const createInMemoryAccessGrants = (): AccessGrants => {
  const versions: { id: string; request: string | undefined; list: GrantList }[] = [];
  const writtenAs = (id: string): GrantList | undefined =>
    versions.find((version) => version.id === id)?.list;
  return {
    current: async () => structuredClone(versions.at(-1)?.list ?? { version: 0, grants: [] }),
    written: async (id) => structuredClone(writtenAs(id)),
    at: async (version) => structuredClone(versions[version - 1]?.list),
    write: async ({ id, request, basedOn, grants }) => {
      const known = writtenAs(id);
      if (known !== undefined) return structuredClone(known);
      if (request !== undefined && versions.some((version) => version.request === request)) {
        throw codedFailure({ code: 'IDENTITY_UNPROVEN', message: 'the request was used before' });
      }
      if (basedOn !== versions.length) {
        throw codedFailure({ code: 'ACCESS_CHANGED', message: 'there is a newer version' });
      }
      // As the way through JSON leaves it: what is undefined is not there.
      const taken = JSON.parse(JSON.stringify(grants)) as GrantList['grants'];
      versions.push({ id, request, list: { version: basedOn + 1, grants: taken } });
      return { version: basedOn + 1, grants: structuredClone(taken) };
    },
  };
};
