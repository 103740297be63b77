import { deployService } from './delivery/deploy-service.ts';
import { manageAccess } from './security/manage-access.ts';

/** Every use case that is built. A use case without all of its artefacts has no row. */
export const catalogue = [deployService, manageAccess] as const;
